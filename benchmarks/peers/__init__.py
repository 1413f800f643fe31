"""What a user would pick instead, and bare floors; run with the packages of requirements.txt."""
