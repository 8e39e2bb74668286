#!/usr/bin/env python3
"""Makes pycrate.pcapng: SMS over SIGTRAN by encoders of another hand (pip install pycrate crc32c; made with pycrate 0.8.1).

TPDUs come from pycrate_mobile.TS23040_SMS, TCAP with its dialogue portion and MAP arguments from pycrate_asn1dir.TCAP_MAPv2v3 (the
ASN.1 of TS 29.002 and Q.773), SCCP, M3UA, SCTP and IPv4 from pycrate's own modules. The texts, numbers and the order are ours.
Numbers are of the ranges kept for examples (+1 555 01xx, MCC 001), hosts end in .example and .test but for real shorteners.
The same run gives the same octets.   make_pycrate.py OUT.pcapng"""
import struct
import sys
import time

from pycrate_asn1dir import TCAP_MAPv2v3
from pycrate_ether.IP import IPv4
from pycrate_ether.SCTP import SCTP, SCTPChkData, SCTPChkSAck
from pycrate_mobile.SCCP import SCCPUnitData
from pycrate_mobile.SIGTRAN import SIGTRAN
from pycrate_mobile.TS23038 import encode_7b
from pycrate_mobile.TS23040_SMS import SMS_DELIVER, SMS_SUBMIT

TCAP = TCAP_MAPv2v3.TCAP_MAP_Messages.TCAP_MAP_Message
SMSC, HLR, MSC, HOME_SMSC = "15550100001", "15550100003", "15550100002", "15550100004"
START = 1_790_000_000  # 2026-09-21, about noon


# ---- numbers and TPDUs

def semi_octets(digits):
    digits += "f" * (len(digits) % 2)
    return bytes(int(digits[i + 1] + digits[i], 16) for i in range(0, len(digits), 2))


def address_string(digits):
    return b"\x91" + semi_octets(digits)


def tp_address(who):
    digits = who.lstrip("+")
    if not digits.isdigit():
        return {"Type": 5, "NumberingPlan": 0, "Num": who}
    return {"Type": 1 if who[0] == "+" else 3 if len(who) < 7 else 2, "NumberingPlan": 1, "Num": digits}


def user_data(tpdu, text, element=None):
    """Puts one part in: GSM 7-bit where the characters allow, else UCS2. TP-UDL is set by hand, since the count that
    pycrate derives from whole octets may be one septet too high."""
    header = 0
    if element:
        kind, reference, total, number = element
        tpdu["TP_UDHI"].set_val(1)
        ie = {"T": kind, "V": {"MsgRef": reference, "MsgParts": total, "MsgNum": number}}
        tpdu["TP_UD"]["UDH"].set_val({"UDH": [ie]})
        header = 1 + (5 if kind == 0 else 6)
    try:
        fill = -8 * header % 7
        octets, septets = encode_7b(text, fill)
        udl, charset = (8 * header + fill) // 7 + septets, 0
    except Exception:  # pycrate's own error: a character that the alphabet does not have
        octets = text.encode("utf-16-be")
        udl, charset = header + len(octets), 2
    tpdu["TP_DCS"].set_val({"Group": 0, "Charset": charset, "Class": 0})
    tpdu["TP_UD"]["UDL"].set_val(udl)
    tpdu["TP_UD"]["UD"].set_val(octets)
    assert len(tpdu["TP_UD"].to_bytes()) - 1 <= 140, text
    return tpdu.to_bytes()


def deliver(sender, text, when, element=None):
    tpdu = SMS_DELIVER(val={"TP_MMS": 1, "TP_OA": tp_address(sender)})
    tpdu["TP_SCTS"].encode(time.gmtime(when), 0.0)
    return user_data(tpdu, text, element)


def submit(recipient, text, number, element=None):
    tpdu = SMS_SUBMIT(val={"TP_VPF": 2, "TP_MR": number & 255, "TP_DA": tp_address(recipient)})
    tpdu[10].set_val(167)
    return user_data(tpdu, text, element)


def parts(text):
    """Cuts a text at what one part holds beside a concatenation element."""
    try:
        encode_7b(text)
        room, cost = 152, lambda c: encode_7b(c)[1]
    except Exception:
        room, cost = 66, lambda c: len(c.encode("utf-16-be")) // 2
    if sum(map(cost, text)) <= (160 if room == 152 else 70):
        return [text]
    pieces, used = [""], 0
    for c in text:
        if used + cost(c) > room:
            pieces.append("")
            used = 0
        pieces[-1] += c
        used += cost(c)
    return pieces


# ---- MAP and TCAP

def external(encoding):
    return {"direct-reference": (0, 0, 17, 773, 1, 1, 1), "encoding": ("single-ASN1-type", ("DialoguePDU", encoding))}


def request(context, version):
    name = (0, 4, 0, 0, 1, 0, context, version)
    return external(("dialogueRequest", {"protocol-version": (1, 1), "application-context-name": name}))


def response(context, version):
    name = (0, 4, 0, 0, 1, 0, context, version)
    return external(("dialogueResponse", {"protocol-version": (1, 1), "application-context-name": name, "result": 0,
                                          "result-source-diagnostic": ("dialogue-service-user", 0)}))


def invoke(operation, kind, argument, number=1):
    return ("basicROS", ("invoke", {"invokeId": ("present", number), "opcode": ("local", operation),
                                    "argument": (kind, argument)}))


def result(operation=None, kind=None, value=None, number=1):
    content = {"invokeId": ("present", number)}
    if operation:
        content["result"] = {"opcode": ("local", operation), "result": (kind, value)}
    return ("basicROS", ("returnResult", content))


def error(code, kind=None, value=None, number=1):
    content = {"invokeId": ("present", number), "errcode": ("local", code)}
    if kind:
        content["parameter"] = (kind, value)
    return ("basicROS", ("returnError", content))


def tcap(kind, origin=None, destination=None, dialogue=None, components=()):
    value = {}
    if origin:
        value["otid"] = struct.pack(">I", origin)
    if destination:
        value["dtid"] = struct.pack(">I", destination)
    if dialogue:
        value["dialoguePortion"] = dialogue
    if components:
        value["components"] = list(components)
    TCAP.set_val((kind, value))
    return TCAP.to_ber()


def forward(direction, version, tpdu, who, more=False):
    """The component and the application context of one forwardSM."""
    if direction == "mt":
        da, oa = ("imsi", semi_octets(who)), ("serviceCentreAddressOA", address_string(SMSC))
    else:
        da, oa = ("serviceCentreAddressDA", address_string(HOME_SMSC)), ("msisdn", address_string(who))
    argument = {"sm-RP-DA": da, "sm-RP-OA": oa, "sm-RP-UI": tpdu}
    if more:
        argument["moreMessagesToSend"] = 0
    if version < 3:
        return invoke(46, ("MAPv2-SM-DataTypes", "ForwardSM-Arg"), argument)
    if direction == "mt":
        return invoke(44, ("MAP-SM-DataTypes", "MT-ForwardSM-Arg"), argument)
    return invoke(46, ("MAP-SM-DataTypes", "MO-ForwardSM-Arg"), argument)


# ---- SCCP to Ethernet

def party(address, digits, ssn):
    value = address["Value"]
    value["AddrInd"].set_val({"RoutingInd": 0, "GTInd": 4, "SSNInd": 1, "PCInd": 0})
    value["SSN"].set_val(ssn)
    title = value["GT"].get_alt()
    title.set_val({"TranslationType": 0, "NumberingPlan": 1, "EncodingScheme": 2 - len(digits) % 2, "NAI": 4})
    title.set_addr_bcd(digits)
    if len(digits) % 2:  # the filler of an odd number is 0 (Q.713 §3.4.2.3.1)
        octets = title.to_bytes()
        title["Addr"].get_alt().set_val(octets[3:-1] + bytes([octets[-1] & 0x0f]))


def unitdata(called, calling, data):
    message = SCCPUnitData()
    party(message["CalledPartyAddr"], *called)
    party(message["CallingPartyAddr"], *calling)
    message["Data"]["Value"].set_val(data)
    return message.to_bytes()


class Side:
    """One direction of the association."""

    def __init__(self, source, destination, tag, tsn, opc, dpc):
        self.source, self.destination, self.tag, self.tsn = source, destination, tag, tsn
        self.opc, self.dpc, self.ssn, self.packets = opc, dpc, 0, 0

    def m3ua(self, sccp, sls):
        label = struct.pack(">IIBBBB", self.opc, self.dpc, 3, 2, 0, sls)
        context, data = {"Tag": 6, "Val": struct.pack(">I", 77)}, {"Tag": 0x210, "Val": label + sccp}
        message = SIGTRAN(val={"Header": {"Class": 1, "Type": 1}})
        message[1].set_val([context, data])
        message[0]["Len"].set_val(8 + len(message[1].to_bytes()))
        return message.to_bytes()

    def data(self, message):
        chunk = SCTPChkData(val={"Flags": {"B": 1, "E": 1}, "Val": {
            "TSN": self.tsn, "SID": 1, "SSN": self.ssn, "PPID": 3, "Data": message}})
        self.tsn, self.ssn = self.tsn + 1, self.ssn + 1
        return chunk

    def frame(self, *chunks):
        packet = SCTP(val={"SCTPHdr": {"Src": 2905, "Dst": 2905, "Tag": self.tag}})
        for chunk in chunks:
            packet["SCTPPay"].append(chunk)
        octets = packet.to_bytes()
        self.packets += 1
        header = IPv4(val={"len": 20 + len(octets), "proto": 132, "id": self.packets, "DF": 1, "TTL": 64,
                           "src": bytes(self.source), "dst": bytes(self.destination)})
        frame = b"\x02\0\0\0\0" + bytes([self.destination[3]]) + b"\x02\0\0\0\0" + bytes([self.source[3]]) + b"\x08\0"
        return (frame + header.to_bytes() + octets).ljust(60, b"\0")


class Capture:
    """pcapng: one section, one Ethernet interface in nanoseconds, enhanced packets."""

    def __init__(self, path):
        self.file, self.now = open(path, "wb"), START * 10**9
        self.block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
        self.block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHBxxxHH", 9, 1, 9, 0, 0))

    def block(self, kind, body):
        body += b"\0" * (-len(body) % 4)
        total = struct.pack("<I", len(body) + 12)
        self.file.write(struct.pack("<I", kind) + total + body + total)

    def add(self, frame):
        self.now += 7_300_011
        self.block(6, struct.pack("<IIIII", 0, self.now >> 32, self.now & 0xFFFFFFFF, len(frame), len(frame)) + frame)


class Link:
    """Two signalling points and the dialogues between them."""

    def __init__(self, path):
        self.capture = Capture(path)
        self.there = Side((192, 0, 2, 1), (192, 0, 2, 2), 0x5EED0001, 1_000, 4721, 2057)
        self.back = Side((192, 0, 2, 2), (192, 0, 2, 1), 0x5EED0002, 9_000, 2057, 4721)
        self.dialogue = 0x0A000000
        self.parts = 0

    def send(self, side, called, calling, message):
        sccp = unitdata(called, calling, message)
        assert 4 + len(sccp) <= 272, "longer than a signalling information field may be"
        other = self.back if side is self.there else self.there
        sack = SCTPChkSAck(val={"Val": {"CumTSNAck": other.tsn - 1}})
        self.capture.add(side.frame(sack, side.data(side.m3ua(sccp, self.dialogue & 15))))

    def dialogue_with(self, called, calling, context, version, component, answer, early=False):
        """Begin and End; or, with an empty Begin, Begin, Continue, Continue, End."""
        self.dialogue += 1
        ours, theirs = self.dialogue, self.dialogue ^ 0x70000000
        open_, accept = (request(context, version), response(context, version)) if version > 1 else (None, None)
        if early:
            self.send(self.there, called, calling, tcap("begin", ours, None, open_))
            self.send(self.back, calling, called, tcap("continue", theirs, ours, accept))
            self.send(self.there, called, calling, tcap("continue", ours, theirs, None, [component]))
            self.send(self.back, calling, called, tcap("end", None, ours, None, [answer]))
        else:
            self.send(self.there, called, calling, tcap("begin", ours, None, open_, [component]))
            self.send(self.back, calling, called, tcap("end", None, ours, accept, [answer]))

    def routing(self, msisdn, imsi, known=True):
        argument = {"msisdn": address_string(msisdn), "sm-RP-PRI": True, "serviceCentreAddress": address_string(SMSC)}
        answer = {"imsi": semi_octets(imsi), "locationInfoWithLMSI": {"networkNode-Number": address_string(MSC)}}
        component = invoke(45, ("MAP-SM-DataTypes", "RoutingInfoForSM-Arg"), argument)
        reply = result(45, ("MAP-SM-DataTypes", "RoutingInfoForSM-Res"), answer) if known else error(1)
        self.dialogue_with((HLR, 6), (SMSC, 8), 20, 3, component, reply)

    def message(self, text, sender="+15550199000", to=0, direction="mt", version=3, fails=None, routing=False):
        imsi, msisdn = f"00101{1_000_000_001 + to:010}", f"155501{10_000 + to:05}"
        if routing:
            self.routing(msisdn, imsi)
        pieces = parts(text)
        self.parts += 1
        for number, piece in enumerate(pieces, 1):
            element = None
            if len(pieces) > 1:
                wide = self.parts % 2
                element = (8 * wide, self.parts * 0x0101 if wide else self.parts, len(pieces), number)
            last = number == len(pieces)
            if direction == "mt":
                tpdu = deliver(sender, piece, self.capture.now // 10**9 - 2, element)
                component, who = forward("mt", version, tpdu, imsi, not last and version > 1), (MSC, 8)
                context, calling = 25, (SMSC, 8)
            else:
                tpdu = submit(sender, piece, self.parts, element)
                component, who = forward("mo", version, tpdu, msisdn), (HOME_SMSC, 8)
                context, calling = 21, (MSC, 8)
            answer = fails if fails and last else result()
            self.dialogue_with(who, calling, context, version, component, answer, early=len(tpdu) > 110 and version > 1)


# ---- what is said

GONE = error(6, ("MAP-ER-DataTypes", "AbsentSubscriberSM-Param"), {"absentSubscriberDiagnosticSM": 1})
FULL = error(32, ("MAP-ER-DataTypes", "SM-DeliveryFailureCause"), {"sm-EnumeratedDeliveryFailureCause": "memoryCapacityExceeded"})

MESSAGES = [
    # Without a link.
    dict(text="Your table for two is kept until 19:30. See you tonight!", sender="Trattoria", routing=True),
    dict(text="Code 482913. Nobody from us will ever ask you for it.", sender="ExBank", to=1),
    dict(text="Running late, start without me", sender="+15550199001", to=2),
    dict(text="Dentist tomorrow at 8.15, please bring your card.", sender="DrMolar", to=3, version=2),
    dict(text="Mamma mia, è già lunedì! Ci vediamo alle 7.", sender="+15550199002", to=4),
    dict(text="Встречаемся у фонтана в семь, не опаздывай.", sender="+15550199003", to=5),
    dict(text="موعدك غدا الساعة التاسعة صباحا", sender="Clinic", to=6),
    dict(text="明天下午三点开会，请准时参加。", sender="+15550199004", to=7),
    dict(text="कल सुबह दस बजे मिलते हैं", sender="+15550199005", to=8),
    dict(text="Balance {EUR} 12.40 [prepaid] ~ valid until 31|12", sender="2255", to=9),
    dict(text="ok", sender="+15550199006", to=10, version=1),
    dict(text="", sender="+15550199007", to=11),
    # Safe.
    dict(text="Your statement for August is ready: https://bank.example/statements", sender="ExBank", to=12, routing=True),
    dict(text="Thank you for your payment. Receipt: https://bank.example/r/77120", sender="ExBank", to=13),
    dict(text="Your parcel 4471 arrives today between 14 and 16. Follow it: https://post.example/t/4471", sender="Post", to=14),
    dict(text="Nobody was home. Choose a new day at http://post.example", sender="Post", to=15, version=2),
    dict(text="Your passport can be collected. Bring the old one. https://www.gov.example/passport", sender="GovInfo", to=16),
    dict(text="Vote on Sunday. Where? https://www.gov.example/vote", sender="GovInfo", to=17),
    dict(text="Ваша посылка 5120 уже в пути: https://post.example/t/5120", sender="Post", to=18),
    dict(text="Η κάρτα σας είναι έτοιμη: https://bank.example/card", sender="ExBank", to=19),
    dict(text="Contract: HTTPS://BANK.EXAMPLE/Contract?id=9", sender="ExBank", to=20),
    dict(text="Two steps: read https://bank.example/a then https://bank.example/b", sender="ExBank", to=21, version=1),
    # Dangerous.
    dict(text="ExBank: your account is locked. Unlock within 24h: https://secure-bank.example/unlock", sender="ExBank", to=22, routing=True),
    dict(text="Your parcel waits at customs. Pay 1.99 here: http://parcel-fee.test/p?id=83JS", sender="+15550166001", to=23),
    dict(text="New device signed in. Not you? https://login-verify.example/stop", sender="InfoSec", to=24),
    dict(text="Hello mum, this is my new number. Can you pay this for me? http://parcel-fee.test/x", sender="+15550166002", to=25, version=2),
    dict(text="FINAL NOTICE tax refund 318.40: HTTP://LOGIN-VERIFY.EXAMPLE/Tax", sender="GovInfo", to=26),
    dict(text="Ваша карта заблокирована: https://secure-bank.example/карта", sender="ExBank", to=27),
    dict(text="Paket wartet, Zollgebühr fällig: hxxps://parcel-fee.test/de", sender="+15550166003", to=28),
    dict(text="您的包裹无法投递 http://parcel-fee.test/cn", sender="+15550166004", to=29),
    dict(text="Safe site https://bank.example@login-verify.example/ - sign in now", sender="ExBank", to=30),
    dict(text="Free coffee at https://post.example and a prize at http://parcel-fee.test/win", sender="Prizes", to=31, version=1),
    dict(text="https://secure-bank.example:8443/a?b=c#d", sender="+15550166005", to=32, fails=GONE),
    dict(text="Votre colis est bloqué, réglez 2,99 sur https://m.parcel-fee.test", sender="+15550166006", to=33),
    # Unknown, and platforms, which lend no trust to what they host.
    dict(text="Photos from Saturday: https://bit.ly/3xAmPle", sender="+15550199008", to=34, routing=True),
    dict(text="Look at this tinyurl.com/ex4mple lol", sender="+15550199009", to=35),
    dict(text="Menu of the week: https://trattoria-da-nino.example/menu", sender="Trattoria", to=36),
    dict(text="The draft is at https://draft-2026.example/v2, tell me what you think", sender="+15550199010", to=37),
    dict(text="Réunion en ligne à 10 h : https://salle.example/r/42", sender="+15550199011", to=38),
    dict(text="Join the group https://t.me/examplegroup", sender="+15550199012", to=39, version=2),
    dict(text="Router: http://192.0.2.33/setup", sender="+15550199013", to=40),
    dict(text="Ссылка на билет: https://билеты.example/7", sender="Tickets", to=41),
    dict(text="票はこちら https://kippu.example/１２", sender="Tickets", to=42),
    dict(text="قائمة الطعام: https://matam.example/menu", sender="Matam", to=43),
    dict(text="Write to office@club.example or call; the page club.example is old", sender="+15550199014", to=44),
    dict(text="cheap-watches(dot)example", sender="+15550166007", to=45),
    dict(text="Get the app: http://apps-for-you.example/update.apk", sender="+15550166008", to=46, fails=FULL),
    dict(text="Survey 2 min: https://forms.gle/exAmPle99", sender="Metro", to=47, version=1),
    # In parts.
    dict(text="Dear customer, from the first of next month the opening hours of our branch in the old town change: Monday to Friday from nine to "
              "five, Saturdays from ten to one. All about it: https://bank.example/branches/old-town", sender="ExBank", to=48, routing=True),
    dict(text="Your parcel could not be delivered because the address was not complete. To have it delivered tomorrow, confirm your address "
              "and pay the small handling fee today at https://parcel-fee.test/confirm/8837112 or it goes back.", sender="+15550166009", to=49),
    dict(text="Напоминаем, что завтра с девяти до двенадцати в вашем доме не будет горячей воды. Подробности и сроки работ: "
              "https://voda.example/raboty", sender="Voda", to=50),
    dict(text="Уважаемый клиент! Ваш счёт временно ограничен. Чтобы снять ограничение, подтвердите данные на странице "
              "https://secure-bank.example/podtverdit до конца дня.", sender="ExBank", to=51),
    dict(text="Hi all, short summary of yesterday: we take the early train, Jo brings the tents, Kim the stove, I the maps. If it rains we stay "
              "in the hut. The list of what else is needed, who pays what and the phone number of the hut are at https://bit.ly/4huTTe - please "
              "add yourself until Thursday, otherwise there will be no soup for you. See you on Friday at six, platform nine!",
         sender="+15550199015", to=52),
    # Sent by phones.
    dict(text="are you at home?", sender="+15550188001", to=53, direction="mo"),
    dict(text="here is the form https://www.gov.example/form7", sender="+15550188002", to=54, direction="mo"),
    dict(text="is this real?? http://parcel-fee.test/p?id=83JS", sender="+15550188003", to=55, direction="mo"),
    dict(text="https://trattoria-da-nino.example/menu tonight?", sender="+15550188004", to=56, direction="mo", version=2),
    dict(text="Я дома, скинь адрес", sender="+15550188005", to=57, direction="mo"),
    dict(text="STOP", sender="2255", to=58, direction="mo", version=1),
    dict(text="I wrote it all down so that you do not have to ask again: the key is under the third pot, the cat eats twice a day, the plants "
              "on Wednesdays only, and the bins go out on Tuesday evening. Wifi: https://nest.example/wifi", sender="+15550188006", to=59,
         direction="mo"),
    # Once more, to other ends.
    dict(text="Your statement for August is ready: https://bank.example/statements", sender="ExBank", to=60, fails=GONE),
    dict(text="New device signed in. Not you? https://login-verify.example/stop", sender="InfoSec", to=61, fails=FULL),
    dict(text="Rate your visit: https://bit.ly/r4te", sender="DrMolar", to=62, version=2, fails=error(27)),
    dict(text="A message as long as one can be, filled to the last septet, with the link at its very end, so that no label fits before it and "
              "none behind http://full.test/x/y1", sender="Full", to=63),
]


def main(path):
    link = Link(path)
    for message in MESSAGES:
        link.message(**message)
    link.routing("15550110999", "", known=False)
    print(f"{len(MESSAGES)} messages, {link.there.packets + link.back.packets} frames -> {path}")


if __name__ == "__main__":
    sys.exit(__doc__ if len(sys.argv) != 2 else main(sys.argv[1]))
