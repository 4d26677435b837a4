"""W3SVC: application pools and their worker processes."""
