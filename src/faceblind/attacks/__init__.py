"""What an attacker would try on a protected scan, one small module for each attack."""
