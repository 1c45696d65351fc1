"""What is documentation and nobody's data: reserved domains, published test cards, sample keys.

Sources: RFC 2606 and RFC 6761 (reserved names), RFC 6762 (.local), ICANN 2024
(.internal); the test-card pages of Stripe, PayPal, Adyen and
Braintree; SSA's list of numbers used in advertisements; the IBAN registry's own examples; AWS's
and jwt.io's documentation; NANPA (555-01xx is for fiction) and Ofcom's numbers for drama;
RFC 5737, RFC 3849, RFC 9637 (addresses for documentation).
"""

from __future__ import annotations

import ipaddress
from datetime import date

_RESERVED_DOMAINS = ("example.com", "example.org", "example.net", "example.edu")
_RESERVED_TOPS = ("example", "test", "invalid", "localhost", "local", "internal")
# An office, not a person: RFC 2142's names and those that mean the same.
_NOBODY = frozenset(
    """
    noreply no-reply no_reply donotreply do-not-reply mailer-daemon postmaster hostmaster webmaster
    abuse noc security info support help helpdesk sales marketing contact office hello team admin
    administrator root daemon nobody legal privacy press billing accounts careers jobs news
    newsletter feedback bugs git www ftp usenet uucp
    """.split()  # noqa: SIM905 - a list to be read and added to by people
)
_OFFICES = ("-sig", "-dev", "-bugs", "-users", "-list", "-announce", "-help", "-request", "-owner")
# Somebody in an example, at whatever domain.
_ANYBODY = frozenset(
    """
    me you user username name firstname.lastname first.last your.name your-name yourname email
    your-email your.email your_email youremail mail someone somebody anyone anybody person foo bar
    baz foobar test tester example sample alias recipient sender from to
    """.split()  # noqa: SIM905 - a list to be read and added to by people
)
_NOBODYS_DOMAINS = ("users.noreply.github.com", "users.noreply.gitlab.com")

_CARDS = frozenset(
    """
    4242424242424242 4000056655665556 4111111111111111 4012888888881881 4012000033330026
    4222222222222 4005519200000004 4009348888881881 4012000077777777 4217651111111119
    4500600000000061 4988438843884305 4166676667666746 4646464646464644 4917610000000000
    4444333322221111 4444333322221111455 4263982640269299 4917484589897107 4001919257537193
    4007702835532454 4032036246228890
    5555555555554444 5200828282828210 5105105105105100 2223003122003222 2223000048400011
    5454545454545454 5425233430109903 2222420000001113 5431111111111111 5500000000000004
    2223000048410010 5136333333333335 5585558555855583 5555341244441115 5555444433331111
    378282246310005 371449635398431 378734493671000 370000000000002 341111111111111
    374251018720018 370000000100018
    6011111111111117 6011000990139424 6011981111111113 6011000400000000 6011601160116611
    6445644564456445 6011000000000004 6011000000000012 6011361000006668
    3056930009020004 30569309025904 36227206271667 38520000023237 36006666333344
    36700102000000 36148900647913 30000000000004
    6555900000604105 3566002020360505 3530111333300000 3569990010095841 3566111111111113
    6200000000000005 6200000000000047 6205500000000000004 6205500000000000000
    6304000000000000 6771798021000008 6759649826438453 6761000000000006 5018000000000009
    1354171030000000
    """.split()  # noqa: SIM905 - a list to be read and added to by people
)
_CARD_PREFIXES = ("400000000000", "424242424242")  # Stripe's decline and country cards

_SSNS = frozenset({"078051120", "219099999", "123456789", "111111111", "457555462"})

_IBANS = frozenset(
    """
    GB82WEST12345698765432 GB29NWBK60161331926819 GB33BUKB20201555555555
    DE89370400440532013000 DE75512108001245126199
    FR1420041010050500013M02606 FR7630006000011234567890189 ES9121000418450200051332
    ES7921000813610123456789 IT60X0542811101000000123456 NL91ABNA0417164300
    BE68539007547034 BE71096123456769 CH9300762011623852957 CH5604835012345678009
    AT611904300234573201 AT483200000012345864 PL61109010140000071219812874
    PL10105000997603123456789123 SE4550000000058398257466 SE7280000810340009783242
    NO9386011117947 DK5000400440116243 FI2112345600000785 IE29AIBK93115212345678
    IE64IRCE92050112345678 LU280019400644750000 PT50000201231234567890154
    GR1601101250000000012300695 CZ6508000000192000145399 SK3112000000198742637541
    HU42117730161111101800000000 RO49AAAA1B31007593840000 MT84MALT011000012345MTLCAST001S
    """.split()  # noqa: SIM905 - a list to be read and added to by people
)


def email(local: str, domain: str) -> bool:
    """Whether the address ``local@domain`` is a reserved name's, a machine's, an office's or
    somebody's in an example, or no address but a Message-ID."""
    name, host = local.lower(), domain.lower()
    if name in _NOBODY or name in _ANYBODY or name.endswith(_OFFICES) or host in _NOBODYS_DOMAINS:
        return True
    if name == host.partition(".")[0]:  # one@one.org
        return True
    if len(name) > 14 and not any(char.isalpha() for char in name):  # <20260621.4711.1@host>
        return True
    if host.rpartition(".")[2] in _RESERVED_TOPS:
        return True
    return any(host == known or host.endswith("." + known) for known in _RESERVED_DOMAINS)


def card(digits: str) -> bool:
    """Whether this is a card number that a payment provider publishes for tests."""
    return digits in _CARDS or digits.startswith(_CARD_PREFIXES)


def ssn(digits: str) -> bool:
    """Whether these nine digits are a number that is known never to be anybody's."""
    return digits in _SSNS


def iban(text: str) -> bool:
    """Whether this IBAN is one of the registry's or the banks' printed examples."""
    return text in _IBANS


def key(value: str) -> bool:
    """Whether a key is visibly made up: EXAMPLE in it, jwt.io's signature, a few characters
    over and over, or a plain run such as abcdef or 123456."""
    lowered = value.lower()
    if "example" in lowered or "sflkxwrjsmekkf2qt4fwpmejf36pok6yjv_adqssw5c" in lowered:
        return True
    tail = lowered[8:] if len(lowered) >= 20 else lowered
    return len(set(tail)) < min(8, len(tail) // 3) or "abcdefghij" in tail or "123456789" in tail


_DRAMA = ("2079460", "1632960", "7700900", "1134960", "1214960", "1314960", "1414960", "1614960")
_RUNS = ("0123456789", "1234567890", "9876543210", "0987654321")


def phone(digits: str) -> bool:
    """Whether this number is for fiction and examples: 555-01xx, Ofcom's ranges for drama, a run
    such as 1234567, or hardly more than one digit over and over."""
    national = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    if len(national) == 10 and national[3:6] == "555":
        return True  # 555-01xx by rule; the rest of 555 was never given to people either
    if len(national) == 7 and national[:3] == "555":
        return True
    if digits.removeprefix("44").lstrip("0").startswith(_DRAMA):
        return True
    if any(digits[:7] == run[:7] or digits[-7:] == run[-7:] for run in _RUNS):
        return True
    return len(set(digits)) < 3 or "1234567" in digits


_DOCUMENTATION = tuple(
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
)
_WELL_KNOWN = frozenset(
    ipaddress.ip_address(one)
    for one in ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "1.2.3.4",
                "255.255.255.255", "127.0.0.1")
)  # fmt: skip


def address(one: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether nobody has this address: for documentation, a public resolver, the machine itself."""
    return (
        one in _WELL_KNOWN
        or one.is_loopback
        or one.is_unspecified
        or any(one in net for net in _DOCUMENTATION if net.version == one.version)
    )


def birth(day: date) -> bool:
    """Whether this is a day that stands for "some day": the first of the epoch, of a century."""
    return (day.month, day.day) == (1, 1) and day.year in (1900, 1970, 1980, 1990, 2000)
