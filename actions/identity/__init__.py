"""Actions on AWS IAM Identity Center."""
