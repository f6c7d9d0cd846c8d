"""The figures that the project is judged by: ratios of two things measured in one run, each beside its bound."""
