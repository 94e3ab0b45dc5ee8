//! Whose profile a file is from, told by its path alone. Knows folder layouts and opens nothing.
