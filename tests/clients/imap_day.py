"""A day with a mailbox, with Python's imaplib: imap_day.py PORT STARTTLS_PORT USER PASSWORD

Expects three messages in INBOX with the subjects "day one", "day two", "day three". Lists, reads, flags, copies, moves,
deletes, and looks with a second session whether the first one told the truth. Prints JSON; any surprise is an exception.
"""
import imaplib, json, ssl, sys

port, starttls_port, user, password = sys.argv[1:]
context = ssl._create_unverified_context()


def good(answer):
    status, content = answer
    assert status == "OK", answer
    return content


def uids(client, *criteria):
    return good(client.uid("SEARCH", None, *criteria))[0].split()


client = imaplib.IMAP4("127.0.0.1", int(starttls_port), timeout=60)
assert "STARTTLS" in client.capabilities, client.capabilities
assert "LOGINDISABLED" in client.capabilities, client.capabilities
good(client.starttls(ssl_context=context))
try:
    client.login(user, "not " + password)
    raise AssertionError("a wrong password was accepted")
except imaplib.IMAP4.error:
    pass
good(client.login(user, password))
folders = b"\n".join(good(client.list()))
assert b"INBOX" in folders, folders
assert int(good(client.select("INBOX"))[0]) >= 3
one, two, three = (uids(client, "SUBJECT", '"day %s"' % word)[0] for word in ("one", "two", "three"))

# Read: the peek leaves \Seen alone, the plain fetch sets it (RFC 3501 section 6.4.5).
peeked = good(client.uid("FETCH", one, "(FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
assert b"\\Seen" not in peeked[0][0], peeked
assert b"day one" in peeked[0][1], peeked
whole = good(client.uid("FETCH", one, "(BODY[])"))
assert b"text one" in whole[0][1], whole
assert one in uids(client, "SEEN") and two in uids(client, "UNSEEN")
structure = good(client.uid("FETCH", one, "(ENVELOPE BODYSTRUCTURE INTERNALDATE)"))
assert b"ENVELOPE" in b"".join(p if isinstance(p, bytes) else b"".join(p) for p in structure), structure

# Flag.
good(client.uid("STORE", two, "+FLAGS", "(\\Flagged \\Answered)"))
assert two in uids(client, "FLAGGED", "ANSWERED")
good(client.uid("STORE", two, "-FLAGS.SILENT", "(\\Answered)"))
assert two not in uids(client, "ANSWERED")

# Folders: copy and move.
good(client.create("Projects"))
good(client.create('"Projects/Mail &- more"'))
assert b"Projects/Mail &- more" in b"\n".join(good(client.list())), client.list()
good(client.uid("COPY", one, "Projects"))
moved = client.uid("MOVE", two, "Projects") if "MOVE" in client.capabilities else None
assert moved is not None, "MOVE is not offered: %r" % (client.capabilities,)
good(moved)
assert two not in uids(client, "ALL")

# Delete: UID EXPUNGE touches what it is told to touch (RFC 4315).
good(client.uid("STORE", three, "+FLAGS", "(\\Deleted)"))
good(client.expunge())
assert three not in uids(client, "ALL")

# Put one there ourselves.
good(client.append("Projects", "(\\Seen)", imaplib.Time2Internaldate(1772445600.0), b"Subject: by append\r\n\r\nappended\r\n"))

# A second session sees the same.
second = imaplib.IMAP4_SSL("127.0.0.1", int(port), ssl_context=context, timeout=60)
good(second.login(user, password))
assert int(good(second.select("Projects"))[0]) == 3
assert uids(second, "FLAGGED"), "the flag did not move with the message"
assert uids(second, "SUBJECT", '"by append"', "SEEN")
good(second.select("INBOX"))
assert one in uids(second, "ALL") and two not in uids(second, "ALL") and three not in uids(second, "ALL")
good(second.status("Projects", "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"))
second.logout()
good(client.rename("Projects", "Work"))
assert int(good(client.select("Work"))[0]) == 3
good(client.close())
# The folder's inferiors were renamed with it (RFC 3501 section 6.3.5).
good(client.delete('"Work/Mail &- more"'))
good(client.delete("Work"))
assert b"Work" not in b"\n".join(good(client.list()))
client.logout()
print(json.dumps({"ok": True}))
