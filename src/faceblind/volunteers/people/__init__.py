"""Who the volunteers are: shape, age, looks."""
