"""AWS CodeCommit: the API of repositories and branches, their git over smart HTTP, and the events of pushes."""
