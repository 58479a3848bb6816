"""Sends one message with Python's smtplib: smtp.py PORT plain|starttls|tls FROM TO... [--login USER PASSWORD] < message

Prints JSON: the reply that ended the transaction, and the recipients that were refused. Certificates are not checked: a
node in `run` mode has made its own.
"""
import json, smtplib, ssl, sys

arguments = sys.argv[1:]
login = None
if "--login" in arguments:
    at = arguments.index("--login")
    login, arguments = arguments[at + 1:at + 3], arguments[:at]
port, mode, sender, *recipients = arguments
context = ssl._create_unverified_context()
message = sys.stdin.buffer.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def end(code, text, refused=None):
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    print(json.dumps({"code": code, "text": text, "refused": refused or {}}))
    sys.exit(0)


if mode == "tls":
    client = smtplib.SMTP_SSL("127.0.0.1", int(port), context=context, timeout=280, local_hostname="client.example")
else:
    client = smtplib.SMTP("127.0.0.1", int(port), timeout=280, local_hostname="client.example")
if mode == "starttls":
    client.ehlo()
    client.starttls(context=context)
client.ehlo()
if login:
    try:
        client.login(*login)
    except smtplib.SMTPAuthenticationError as refusal:
        end(refusal.smtp_code, refusal.smtp_error)
code, text = client.mail(sender)
if code != 250:
    end(code, text)
refused = {}
for recipient in recipients:
    code, text = client.rcpt(recipient)
    if code not in (250, 251):
        refused[recipient] = code
if len(refused) == len(recipients):
    end(code, text, refused)
try:
    code, text = client.data(message)
except smtplib.SMTPDataError as refusal:
    code, text = refusal.smtp_code, refusal.smtp_error
try:
    client.quit()
except smtplib.SMTPException:
    pass
end(code, text, refused)
