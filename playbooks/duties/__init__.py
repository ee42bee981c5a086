"""What the law wants, from whom, by when: rules as data, calendars, clocks. Not legal advice."""
