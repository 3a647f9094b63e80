"""How the networks are trained and exported. Nothing here is used to decide a property."""
