"""What an operator does or asks: remediation, import, backup, the doctor, day one. Nothing here is an asset, and
nothing prints.
"""
