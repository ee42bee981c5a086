"""Works the notification duties of an incident."""
