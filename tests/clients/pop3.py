"""A POP3 session with Python's poplib: pop3.py PORT STLS_PORT USER PASSWORD SUBJECT

Finds the message, reads it, deletes it, and looks with a second session (over STLS) whether it is gone. Prints JSON: the
message.
"""
import json, poplib, ssl, sys

port, stls_port, user, password, subject = sys.argv[1:]
context = ssl._create_unverified_context()


def find(client):
    for line in client.list()[1]:
        number = int(line.split()[0])
        if any(subject.encode() in header for header in client.top(number, 0)[1]):
            return number
    return None


first = poplib.POP3_SSL("127.0.0.1", int(port), context=context, timeout=60)
first.user(user)
first.pass_(password)
number = find(first)
assert number, "no message with subject %r" % subject
count, size = first.stat()
assert count >= number and size > 0
names = dict(line.split()[:2] for line in first.uidl()[1])
assert len(set(names.values())) == len(names), names
message = b"\r\n".join(first.retr(number)[1])
first.dele(number)
first.quit()

second = poplib.POP3("127.0.0.1", int(stls_port), timeout=60)
second.stls(context=context)
second.user(user)
try:
    second.pass_("not " + password)
    raise AssertionError("a wrong password was accepted")
except poplib.error_proto:
    pass
try:
    second.user(user)
    second.pass_(password)
except poplib.error_proto:
    # The server may hang up after a wrong password; then a fresh session.
    second = poplib.POP3_SSL("127.0.0.1", int(port), context=context, timeout=60)
    second.user(user)
    second.pass_(password)
assert find(second) is None, "the deleted message is still there"
for number, name in (line.split()[:2] for line in second.uidl()[1]):
    assert names.get(number) == name or name in names.values(), "a unique id changed"
second.quit()
print(json.dumps({"message": message.decode("utf-8", "replace")}))
