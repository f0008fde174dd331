"""Names as they stand on a shelf: family name first."""

# Family names of two words, and names that already begin with what one looks for.
SHELVED_AS = {
    "Benito Pérez Galdós": "Pérez Galdós, Benito",
    "Eça de Queirós": "Eça de Queirós",
    "Dante Alighieri": "Dante Alighieri",
    "Lu Xun": "Lu Xun",
    "Machado de Assis": "Machado de Assis",
    "Madame de La Fayette": "La Fayette, Madame de",
    "Marcus Aurelius": "Marcus Aurelius",
    "Murasaki Shikibu": "Murasaki Shikibu",
    "Natsume Sōseki": "Natsume Sōseki",
    "Sun Tzu": "Sun Tzu",
}


def sort_name(name):
    """The name to sort by: "Austen, Jane" for "Jane Austen", "Balzac, Honoré de" for "Honoré de Balzac"."""
    if name in SHELVED_AS:
        return SHELVED_AS[name]
    given, _, family = name.rpartition(" ")
    return f"{family}, {given}" if given else family
