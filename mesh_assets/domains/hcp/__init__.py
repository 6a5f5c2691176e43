"""Who prescribes: health care professionals and hospitals, mastered from sources that disagree."""
