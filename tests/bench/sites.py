#!/usr/bin/env python3
"""Writes a site of many users, the same for the same arguments: ./tests/bench/sites.py DIR --users 10000 --form csv

The users are spread over several domains, most of them in the first. Each has a name and a password hash; four in five have
a quota, one in four an alias, one in ten a forward; there is a site-wide alias for each hundred users, and a list.

  --form ncl     all of it in site.ncl
  --form json    users in one JSON file for each domain, which site.ncl imports
  --form csv     users in one CSV file for each domain, aliases in another
  --form jsonl   the same as JSON lines
  --aliases 1    every user has an alias (a share between 0 and 1; a quarter of them otherwise)
  --change       the quota of one user in the middle is another one
"""
import argparse, json, os, random

GIVEN = "Ada Grace Tim Lin Ming Karl Nils Zoë Amélie Jürgen Søren Łucja 明 秀英 Ivan Olga Fatima Omar Priya Arjun Maria José".split()
FAMILY = "Lovelace Hopper Berg Müller García Nguyễn Kowalski 王 李 Ivanova Haddad Sharma Okafor Smith Jensen Rossi Dubois".split()
QUOTAS = ["1 GiB", "2 GiB", "5 GiB", "500 MB"]
CRYPT = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DOMAINS = ["example.org", "example.net", "sales.example", "research.example", "abroad.example"]


def people(count, chance, aliases):
    """One dict for each user; the form of the CSV columns, lists as lists."""
    for number in range(count):
        given, family = chance.choice(GIVEN), chance.choice(FAMILY)
        user = {"name": "user%06d" % number, "full_name": "%s %s" % (given, family)}
        if chance.random() < 0.8:
            user["quota"] = chance.choice(QUOTAS)
        salt, digest = ("".join(chance.choices(CRYPT, k=length)) for length in (16, 86))
        user["password_hash"] = "$6$%s$%s" % (salt, digest)
        if chance.random() < aliases:
            user["aliases"] = ["alias%06d" % number]
        if chance.random() < 0.1:
            user["forward"] = ["user%06d@elsewhere.example" % number]
            user["forward_keep"] = chance.random() < 0.5
        yield user


def split(count):
    """How many users each domain has: 60 % in the first, the rest alike."""
    rest = count * 4 // 10 // (len(DOMAINS) - 1)
    return [count - rest * (len(DOMAINS) - 1)] + [rest] * (len(DOMAINS) - 1)


def text(value):
    return json.dumps(value, ensure_ascii=False)


def json_user(user):
    fields = {"name": user["full_name"], "password": {"hash": user["password_hash"]}}
    fields.update((key, user[key]) for key in ("quota", "aliases") if key in user)
    if "forward" in user:
        fields["forward"] = {"to": user["forward"], "keep": user["forward_keep"]}
    return fields


def nickel_user(user):
    fields = ["name = " + text(user["full_name"])]
    if "quota" in user:
        fields.append("quota = " + text(user["quota"]))
    fields.append("password = { hash = %s }" % text(user["password_hash"]))
    if "aliases" in user:
        fields.append("aliases = [%s]" % ", ".join(map(text, user["aliases"])))
    if "forward" in user:
        to = ", ".join(map(text, user["forward"]))
        fields.append("forward = { to = [%s], keep = %s }" % (to, text(user["forward_keep"])))
    return "        %s = { %s },\n" % (user["name"], ", ".join(fields))


COLUMNS = ["name", "full_name", "quota", "password_hash", "aliases", "forward", "forward_keep"]


def cell(value):
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, bool):
        value = text(value)
    return '"%s"' % value.replace('"', '""') if set(value) & set(',"\n') else value


def write(folder, name, lines):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
        out.writelines(lines)


def table(form, columns, rows):
    if form == "jsonl":
        return (text(row) + "\n" for row in rows)
    head = [",".join(columns) + "\n"]
    return head + [",".join(cell(row.get(column, "")) for column in columns) + "\n" for row in rows]


def domain(folder, form, name, users, aliases):
    """The text of a domain in site.ncl; its population beside it unless it is written in."""
    lines = ['    "%s" = {\n      postmaster = "%s",\n' % (name, users[0]["name"])]
    if form in ("ncl", "json"):
        if form == "ncl":
            lines += ["      users = {\n", *map(nickel_user, users), "      },\n"]
        else:
            everybody = {user["name"]: json_user(user) for user in users}
            write(folder, name + ".json", [json.dumps(everybody, ensure_ascii=False, indent=1)])
            lines.append('      users = import "%s.json",\n' % name)
        lines.append("      aliases = {\n")
        lines += ["        %s = [%s],\n" % (alias["name"], ", ".join(map(text, alias["targets"]))) for alias in aliases]
        lines.append("      },\n")
    else:
        write(folder, "%s.%s" % (name, form), table(form, COLUMNS, users))
        write(folder, "%s-aliases.%s" % (name, form), table(form, ["name", "targets"], aliases))
        lines.append('      users_from = "%s.%s",\n      aliases_from = "%s-aliases.%s",\n' % (name, form, name, form))
    members = ", ".join(text(user["name"]) for user in users[:20])
    lines.append("      lists.announce = { members = [%s], post = 'anyone },\n    },\n" % members)
    return lines


def generate(folder, count, form, change=False, share=0.25):
    os.makedirs(folder, exist_ok=True)
    chance = random.Random(20261122)
    everybody = list(people(count, chance, share))
    if change:
        everybody[count // 2]["quota"] = "7 GiB"
    lines = ['let pk = import "postkiln/site.ncl" in\n{\n  appliance.hostname = "mail.example.org",\n']
    # So many DNS records and warnings about none are not what is measured.
    lines += ['  dns.address = "192.0.2.25",\n  domains = {\n']
    at = 0
    for name, size in zip(DOMAINS, split(count)):
        users = everybody[at : at + size]
        at += size
        groups = [users[start : start + 100] for start in range(0, size, 100)]
        aliases = [
            {"name": "team%05d" % number, "targets": [user["name"] for user in group[:5]]}
            for number, group in enumerate(groups)
        ]
        lines += domain(folder, form, name, users, aliases)
    lines.append("  },\n} | pk.Site\n")
    write(folder, "site.ncl", lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="DIR")
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--form", choices=["ncl", "json", "csv", "jsonl"], default="csv")
    parser.add_argument("--aliases", type=float, default=0.25, metavar="SHARE")
    parser.add_argument("--change", action="store_true")
    given = parser.parse_args()
    generate(given.folder, given.users, given.form, given.change, given.aliases)
