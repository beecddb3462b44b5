"""What people read: boards, the scoreboard with its page and charts, the dictionary. Nothing here writes a table."""
