"""Take the face out of a scan, or put everybody's average face in its place."""
