INCIDENTS = {}
def apply(name, zone): return ""
