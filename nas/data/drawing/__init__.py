"""Images with labels as pictures: planes as a radiologist turns them (`planes`), drawn with outlines (`picture`)."""
