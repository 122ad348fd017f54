"""How likely is it that an open food item is thrown away, and in how many days?"""

__version__ = "0.1.0"
