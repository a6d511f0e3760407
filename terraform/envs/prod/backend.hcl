bucket = "reelmint-prod-state"
