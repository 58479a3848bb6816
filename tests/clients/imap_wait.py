"""Waits for a message in INBOX with Python's imaplib: imap_wait.py PORT USER PASSWORD SUBJECT SECONDS

Prints JSON: how many messages have the subject (0 when none came in time), and the first of them whole. With 0 seconds it
looks once.
"""
import imaplib, json, ssl, sys, time

port, user, password, subject, seconds = sys.argv[1:]
client = imaplib.IMAP4_SSL("127.0.0.1", int(port), ssl_context=ssl._create_unverified_context(), timeout=60)
client.login(user, password)
client.select("INBOX", readonly=True)
end = time.monotonic() + float(seconds)
while True:
    status, found = client.search(None, "HEADER", "Subject", '"%s"' % subject)
    numbers = found[0].split() if status == "OK" and found[0] else []
    if numbers or time.monotonic() >= end:
        break
    time.sleep(0.05)
    client.noop()
message = ""
if numbers:
    status, parts = client.fetch(numbers[0], "(BODY.PEEK[])")
    assert status == "OK", parts
    message = parts[0][1].decode("utf-8", "replace")
client.logout()
print(json.dumps({"count": len(numbers), "message": message}))
