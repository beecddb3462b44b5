"""What runs by itself: jobs, and later schedules, sensors and alerts."""
