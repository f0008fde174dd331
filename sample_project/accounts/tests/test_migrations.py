def rules(connection):
    """What the table itself says about its foreign keys: {column: rule}."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_key_list(accounts_visit)")
        return {row[3]: row[6] for row in cursor.fetchall()}


def test_the_table_of_visits_has_its_rules_on_every_django(migrator):
    migrator.to(("accounts", "0002_campaign_visit"))
    assert rules(migrator.connection) == {"user_id": "CASCADE", "campaign_id": "SET NULL"}


def test_the_way_back_and_forth(migrator):
    migrator.to(("accounts", "0002_campaign_visit"))
    migrator.to(("accounts", "0001_initial"))
    assert "accounts_visit" not in migrator.connection.introspection.table_names()
    migrator.to(("accounts", "0002_campaign_visit"))
    assert set(rules(migrator.connection)) == {"user_id", "campaign_id"}
