"""What Twilio posts to say that an SMS is delivered."""

REPORT = {
    "AccountSid": "AC" + "0123456789abcdef" * 2,
    "ApiVersion": "2010-04-01",
    "From": "+33755000000",
    "MessageSid": "SM" + "0123456789abcdef" * 2,
    "MessageStatus": "delivered",
    "SmsSid": "SM" + "0123456789abcdef" * 2,
    "SmsStatus": "delivered",
    "To": "+33610000000",
}
