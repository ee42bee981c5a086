"""What the law wants, from whom, by when: rules as data, calendars, clocks, duties. Not legal advice."""
