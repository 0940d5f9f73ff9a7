"""What comes after a search: its networks trained again on other folds, seeds and cases; confirmed, or to keep."""
