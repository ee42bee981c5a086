"""What moto 5.2.5 gets wrong about AWS, put right: one file a subject, each with its own test.

A correction answers one operation. It gets the ground, the request, and `onward`, which asks the
next correction or moto (optionally with other parameters) and returns the result in boto3's
shape. It returns the result to send, or raises AwsError.
"""
