"""What lasts: a workspace folder with data sets, runs, price lists and scenarios, and one database as their index.

A data set, run or price list is a folder. It is written under ``temp/``, renamed to its final place in one step and
then entered in the index, so a reader sees all of it or nothing. The index can be rebuilt from the folders.
"""
