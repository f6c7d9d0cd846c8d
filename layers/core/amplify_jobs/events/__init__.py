"""From a delivery or an AWS event to one normalised event."""
