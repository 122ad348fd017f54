"""What can be wrong outside of the program, in one line for people and without a household's value."""


class ContractError(ValueError):
    """Tables break their contract; the message is one line without any value of theirs."""


class StudyError(Exception):
    """Studies cannot be read or written, said in one line."""
