"""This process and nothing of the league: its clock, how it is stopped, which code it runs, secrets kept out of its
words. Nothing here imports another room; what a deployment consists of belongs to deployment.py.
"""
