bucket = "reelmint-dev-state"
