"""From receipts to a finished table: is a category bought again?"""
