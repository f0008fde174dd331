"""Invents the people who shop here, from a fixed seed: the same people each time."""

from datetime import UTC, date, datetime, timedelta
from random import Random

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.utils.text import slugify

from .models import Campaign, Profile, User, Visit

CUSTOMERS = 149
FIRST_DAY = datetime(2023, 3, 1, 8, tzinfo=UTC)
LAST_DAY = datetime(2026, 7, 1, tzinfo=UTC)
VISITS = 240

# (name, day it went out); nobody came through the last one.
CAMPAIGNS = [
    ("Spring catalogue 2024", "2024-03-20"),
    ("Summer reading 2024", "2024-06-21"),
    ("Christmas 2024", "2024-12-01"),
    ("Spring catalogue 2025", "2025-03-20"),
    ("Jane Austen at 250", "2025-11-15"),
    ("Christmas 2025", "2025-12-01"),
    ("Spring catalogue 2026", "2026-03-20"),
    ("Autumn preview 2026", "2026-07-01"),
]

# Written out, because others call them by name: (username, first name, last name, city; None is no profile).
REGULARS = [
    ("mira", "Mira", "Novák", "Lisbon"),
    ("tomas", "Tomás", "Álvarez", None),
    ("anna", "Anna", "Österberg", "Uppsala"),
    ("jose", "José", "Muñoz", ""),
]
BOOKSELLER = ("ida", "Ida", "Sørensen", "Copenhagen")

FIRST_NAMES = (
    "Aiko Amélie Ana Anders Björn Chloé Clara Dragan Eleni Émile Fatima Felix François Grace Hana Hugo Ines Ivan Jana "
    "Jürgen Kaja Kofi Lars Léa Lucía Luis Maja Marek Mei Nadia Nils Noor Oskar Paolo Petra Priya Renée Rosa Samuel "
    "Sanne Siobhán Sofia Tariq Tereza Uma Viktor Wanjiru Yusuf Zoë Zsófia"
).split()
LAST_NAMES = (
    "Abe Almeida Andersson Bauer Brennan Castro Chen Costa Dubois Dvořák Eriksen Faber Ferreira Fischer García Gupta "
    "Haas Hansen Horváth Ibrahim Ito Jansen Kaya Keller Kim Kowalska Laurent Lindgren López Mäkinen Marković Mensah "
    "Moreau Müller Nagy Nakamura Núñez O'Brien Okafor Olsen Papadakis Peña Pereira Popescu Rossi Santos Schäfer Silva "
    "Simić Tanaka Vogel Wagner Yamada Zhang"
).split()
CITIES = (
    "Amsterdam Athens Barcelona Belgrade Berlin Bogotá Bologna Brno Córdoba Dublin Geneva Ghent Graz Helsinki Kraków "
    "Kyoto Lisbon London Lyon Malmö Marseille Nairobi Oslo Porto Prague Rome São_Paulo Tallinn Vienna Zürich"
).split()


def people(draw):
    """Yield (username, first name, last name), never the same username twice."""
    taken = {username for username, *_ in [*REGULARS, BOOKSELLER]}
    while True:
        first, last = draw.choice(FIRST_NAMES), draw.choice(LAST_NAMES)
        username = slugify(first).replace("-", "") + "." + slugify(last).replace("-", "")
        if username not in taken:
            taken.add(username)
            yield username, first, last


def fill_accounts():
    """Create the customers, one bookseller (staff), profiles and visits; users join in the order of their keys.

    Nobody can log in: the passwords are unusable. `manage.py seed --admin-password` adds someone who can.
    """
    draw = Random("accounts")
    users, profiles = [], []

    def join(username, first, last, *, city, **fields):
        pk = len(users) + 1
        users.append(
            User(
                pk=pk,
                username=username,
                first_name=first,
                last_name=last,
                # A constant: `set_unusable_password()` would put a random string here.
                password=UNUSABLE_PASSWORD_PREFIX,
                # A few never told their address.
                email="" if pk % 40 == 0 else f"{username}@example.org",
                date_joined=FIRST_DAY + timedelta(days=pk * 8, minutes=draw.randrange(600)),
                **fields,
            )
        )
        if city is not None:
            born = date(1945, 1, 1) + timedelta(days=draw.randrange(22_000))
            profiles.append(
                Profile(
                    pk=len(profiles) + 1,
                    user_id=pk,
                    city=city,
                    born=None if draw.random() < 0.2 else born,
                    newsletter=draw.random() < 0.4,
                )
            )

    for username, first, last, city in REGULARS:
        join(username, first, last, city=city)
    username, first, last, city = BOOKSELLER
    join(username, first, last, city=city, is_staff=True)
    newcomers = people(draw)
    while len(users) <= CUSTOMERS:
        city = None if draw.random() < 0.25 else draw.choice(CITIES).replace("_", " ")
        join(*next(newcomers), city=city, is_active=len(users) % 60 != 59)

    User.objects.bulk_create(users)
    Profile.objects.bulk_create(profiles)
    fill_visits()


def fill_visits():
    """Create the newsletters and some visits, a third of them through a newsletter of the weeks before."""
    campaigns = [
        Campaign(pk=pk, name=name, sent_on=date.fromisoformat(day))
        for pk, (name, day) in enumerate(CAMPAIGNS, start=1)
    ]
    Campaign.objects.bulk_create(campaigns)

    draw = Random("visits")
    users = list(User.objects.order_by("pk").values_list("pk", "date_joined"))
    visits = []
    for _ in range(VISITS):
        user, joined = draw.choice(users)
        at = joined + (LAST_DAY - joined) * draw.random()
        at = at.replace(second=0, microsecond=0)
        recent = [campaign for campaign in campaigns if 0 <= (at.date() - campaign.sent_on).days < 45]
        campaign = recent[-1].pk if recent and draw.random() < 0.7 else None
        visits.append((at, user, campaign))
    Visit.objects.bulk_create(
        Visit(pk=pk, at=at, user_id=user, campaign_id=campaign)
        for pk, (at, user, campaign) in enumerate(sorted(visits, key=lambda visit: visit[:2]), start=1)
    )
