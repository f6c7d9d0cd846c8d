"""Something that only the layer has."""

WORD = "layered"
