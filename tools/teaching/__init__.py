"""For a teacher: copies for students, answer sheets, handouts, the cheat sheet."""
