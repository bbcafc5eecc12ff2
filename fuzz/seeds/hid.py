#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Seeds for the fuzz target "hid": input devices as they are sold.

    hid.py DIRECTORY

DIRECTORY gets inputs in the form that fuzz/library/hid.hpp describes: devices of each kind
with the report descriptors that the HID specification and the usage tables want of them, their
reports, and what programs do with them; and one device for each driver.
"""

import os
import shutil
import struct
import sys

WORD = struct.Struct("<H").pack
USB, BLUETOOTH = 3, 5

# Short items (HID 1.11, 6.2.2), without their size.
TAGS = {"page": 0x04, "minimum": 0x14, "maximum": 0x24, "physical_minimum": 0x34,
        "physical_maximum": 0x44, "exponent": 0x54, "unit": 0x64, "size": 0x74, "id": 0x84,
        "count": 0x94, "push": 0xa4, "pop": 0xb4, "usage": 0x08, "first": 0x18, "last": 0x28,
        "input": 0x80, "output": 0x90, "feature": 0xb0, "collection": 0xa0, "end": 0xc0}
CONSTANT, ARRAY, VARIABLE, RELATIVE = 1, 0, 2, 6
PHYSICAL, APPLICATION, LOGICAL = 0, 1, 2
DESKTOP, KEYS, LEDS, BUTTONS, CONSUMER, DIGITIZER, SENSOR = 1, 7, 8, 9, 0xc, 0xd, 0x20


def items(*pairs):
    """A descriptor, or a part of one, of pairs of a tag and its value."""
    made = b""
    for tag, value in pairs:
        if tag in ("end", "push", "pop"):
            made += bytes([TAGS[tag]])
            continue
        for code, kind in ((1, "b" if value < 0 else "B"), (2, "h" if value < 0 else "H"),
                           (3, "i" if value < 0 else "I")):
            try:
                made += bytes([TAGS[tag] | code]) + struct.pack("<" + kind, value)
                break
            except struct.error:
                pass
    return made


def fields(what, count, size, low, high, kind=VARIABLE):
    """Main item `what` of count fields, with their range."""
    return items(("minimum", low), ("maximum", high), ("count", count), ("size", size),
                 (what, kind))


def padding(bits, what="input"):
    """Bits that mean nothing."""
    return items(("count", 1), ("size", bits), (what, CONSTANT))


def collection(page, usage, *parts, kind=APPLICATION):
    """A collection of parts of descriptors."""
    return (items(("page", page), ("usage", usage), ("collection", kind)) + b"".join(parts) +
            items(("end", 0)))


def keys():
    """Fields of a boot keyboard (HID 1.11, B.1)."""
    return (items(("page", KEYS), ("first", 0xe0), ("last", 0xe7)) + fields("input", 8, 1, 0, 1) +
            padding(8) +
            items(("page", LEDS), ("first", 1), ("last", 5)) + fields("output", 5, 1, 0, 1) +
            padding(3, "output") +
            items(("page", KEYS), ("first", 0), ("last", 0x65)) +
            fields("input", 6, 8, 0, 0x65, ARRAY))


def buttons(count):
    """That many, in whole bytes."""
    made = items(("page", BUTTONS), ("first", 1), ("last", count)) + fields("input", count, 1, 0, 1)
    return made + (padding(8 - count % 8) if count % 8 else b"")


def axes(*usages, size=8, low=-127, high=127, kind=VARIABLE, page=DESKTOP):
    """A field for each usage."""
    return (items(("page", page), *(("usage", usage) for usage in usages)) +
            fields("input", len(usages), size, low, high, kind))


KEYBOARD = collection(DESKTOP, 6, keys())
MOUSE = collection(DESKTOP, 2, collection(
    DESKTOP, 1, buttons(3), axes(0x30, 0x31, 0x38, kind=RELATIVE), kind=PHYSICAL))
MEDIA = collection(CONSUMER, 1, items(("id", 3), ("first", 0), ("last", 0x29c)),
                   fields("input", 1, 16, 0, 0x29c, ARRAY))
POWER = collection(DESKTOP, 0x80, items(("id", 4), ("first", 0x81), ("last", 0x83)),
                   fields("input", 3, 1, 0, 1), padding(5))
HAT = (items(("page", DESKTOP), ("usage", 0x39), ("physical_maximum", 315), ("unit", 0x14)) +
       fields("input", 1, 4, 0, 7, 0x42) + items(("unit", 0)) + padding(4))
GAMEPAD = collection(DESKTOP, 5, axes(0x30, 0x31, 0x32, 0x35, low=0, high=255), HAT, buttons(12))
# With an output report of 8 bytes, as those that rumble have.
RUMBLE = GAMEPAD[:-1] + items(("page", 0xff00), ("first", 1), ("last", 8)) + \
    fields("output", 8, 8, 0, 255) + items(("end", 0))


def contact(size):
    """A finger (usage tables, 16)."""
    return collection(DIGITIZER, 0x22,
                      items(("usage", 0x42), ("usage", 0x47)), fields("input", 2, 1, 0, 1),
                      padding(6), axes(0x51, low=0, high=15, page=DIGITIZER),
                      items(("unit", 0x11), ("exponent", 0xe), ("physical_maximum", 2000)),
                      axes(0x30, 0x31, size=16, low=0, high=size),
                      axes(0x48, 0x49, size=16, low=0, high=size, page=DIGITIZER), kind=LOGICAL)


def touch(usage, extra=b""):
    """A screen (4) or a pad (5) of two fingers."""
    return collection(DIGITIZER, usage, items(("id", 1)), contact(4095), contact(4095),
                      items(("page", DIGITIZER), ("usage", 0x56), ("unit", 0x1001)),
                      fields("input", 1, 16, 0, 65535), items(("unit", 0)),
                      axes(0x54, low=0, high=15, page=DIGITIZER), extra,
                      items(("page", DIGITIZER), ("id", 2), ("usage", 0x55)),
                      fields("feature", 1, 8, 0, 15))


# What Windows 8 wants of both: a blob, and of pads that they can be set to it.
CERTIFIED = collection(0xff00, 1, items(("id", 5), ("page", 0xff00), ("usage", 0xc5)),
                       fields("feature", 256, 8, 0, 255))
MODE = collection(DIGITIZER, 0xe, items(("id", 6)),
                  collection(DIGITIZER, 0x22, items(("usage", 0x52)),
                             fields("feature", 1, 8, 0, 10), kind=LOGICAL),
                  items(("id", 7)),
                  collection(DIGITIZER, 0x22, items(("usage", 0x57), ("usage", 0x58)),
                             fields("feature", 2, 1, 0, 1), padding(6, "feature"), kind=LOGICAL))
SCREEN = touch(4) + CERTIFIED
PAD = touch(5, buttons(1)) + CERTIFIED + MODE
PEN = collection(DIGITIZER, 2, items(("id", 8)), collection(
    DIGITIZER, 0x20,
    items(("usage", 0x42), ("usage", 0x44), ("usage", 0x3c), ("usage", 0x45), ("usage", 0x32)),
    fields("input", 5, 1, 0, 1), padding(3), axes(0x30, 0x31, size=16, low=0, high=32767),
    axes(0x30, size=16, low=0, high=4095, page=DIGITIZER),
    axes(0x3d, 0x3e, page=DIGITIZER, low=-90, high=90),
    axes(0x3b, low=0, high=100, page=DIGITIZER), kind=PHYSICAL))
ACCELEROMETER = collection(SENSOR, 0x73, items(("id", 9)), collection(
    SENSOR, 0x73,
    items(("page", SENSOR), ("usage", 0x30e)), fields("feature", 1, 32, 0, 0x7fffffff),
    items(("usage", 0x319), ("minimum", 1), ("maximum", 6), ("size", 8), ("count", 1),
          ("collection", LOGICAL), ("first", 0x850), ("last", 0x855), ("feature", ARRAY),
          ("end", 0)),
    items(("usage", 0x453), ("usage", 0x454), ("usage", 0x455)),
    fields("input", 3, 16, -32768, 32767), kind=PHYSICAL))
CUSTOM_SENSOR = collection(SENSOR, 1, collection(
    SENSOR, 0xe1, items(("id", 10), ("page", SENSOR), ("usage", 0x541), ("usage", 0x543)),
    fields("input", 2, 16, 0, 32767), items(("usage", 0x54d)), fields("feature", 1, 16, 0, 100),
    kind=PHYSICAL))
HEADSET = collection(0xb, 5, items(("id", 11), ("usage", 0x20), ("usage", 0x2f)),
                     fields("input", 2, 1, 0, 1), padding(6),
                     items(("page", LEDS), ("usage", 0x17), ("usage", 0x9)),
                     fields("output", 2, 1, 0, 1), padding(6, "output"))
VIVALDI = collection(DESKTOP, 6, keys()) + collection(
    CONSUMER, 1, items(("id", 12)), collection(
        0xffd1, 1, items(("page", 0xffd1), ("first", 0x1), ("last", 0x18)),
        fields("feature", 24, 32, 0, 0x7fffffff), kind=LOGICAL))
# One of each report that drivers of keyboards and mice look for.
COMPOSITE = (collection(DESKTOP, 6, items(("id", 1)), keys()) +
             collection(DESKTOP, 2, items(("id", 2)), buttons(5),
                        axes(0x30, 0x31, size=16, low=-2047, high=2047, kind=RELATIVE),
                        axes(0x38, kind=RELATIVE), axes(0x238, page=CONSUMER, kind=RELATIVE)) +
             MEDIA + POWER +
             collection(0xff00, 1, items(("id", 5), ("usage", 1)), fields("input", 63, 8, 0, 255),
                        items(("usage", 2)), fields("output", 63, 8, 0, 255),
                        items(("usage", 3)), fields("feature", 63, 8, 0, 255)))


def answer(data=b"", exact=False):
    """What the device says to one request."""
    return bytes([len(data) | (0x40 if exact else 0)]) + data


REFUSED = b"\x80"


# Operations, by their places in hid.cpp, commands by theirs in hid_programs.cpp.
def report(*values):
    """From the device."""
    return bytes([0, len(values), *values])


def long_report(zeros, *values):
    """The same, with zeroes behind it."""
    return bytes([1, len(values), *values]) + WORD(zeros)


def read(node):
    """All that is there; nodes: hidraw, 4 of evdev, joystick, mouse."""
    return bytes([2, node]) + WORD(4096)


def write(node, *values):
    """To a node."""
    return bytes([3, node, len(values), *values]) + WORD(len(values))


def hidraw(number, *values, size=None):
    """An ioctl, with a size where it may have any."""
    return bytes([4, number]) + (b"" if size is None else WORD(size)) + bytes([len(values),
                                                                               *values])


def evdev(number, *values, size=None, more=None, node=0):
    """An ioctl."""
    return (bytes([5, node, number]) + (b"" if more is None else bytes([more])) +
            (b"" if size is None else WORD(size)) + bytes([len(values), *values]))


def event(kind, code, value, node=0):
    """To the device: a LED, an effect that is to be played."""
    return bytes([6, node, kind]) + WORD(code) + struct.pack("<i", value)


def rumble(node=0):
    """An effect: a new one of FF_RUMBLE, to the left, for a second."""
    return bytes([7, node, 20]) + struct.pack("<HhHHHHHHHH", 0, -1, 0x4000, 0, 0, 1000, 0, 0,
                                              0xc000, 0x4000)


def joystick(number, *values, size=None):
    """An ioctl."""
    return bytes([8, number]) + (b"" if size is None else WORD(size)) + bytes([len(values),
                                                                               *values])


def look(which):
    """A file: of the battery, uevent, the descriptor, the same as text, the events as text."""
    return bytes([9, which])


PULL_OUT, PLUG_IN = b"\x0a", b"\x0b"


def device(descriptor, operations, numbers=(USB, 0x1234, 0x5678), answers=(), known=None):
    """An input; known: which of hid_identities(), from 0 on, or none."""
    who = b"\0" + b"".join(map(WORD, numbers)) if known is None else bytes([known + 1])
    said = b"".join(answers)
    return (who + WORD(len(descriptor)) + descriptor + WORD(len(said)) + said +
            b"".join(operations))


def programs():
    """What they ask of each device first."""
    return [hidraw(0), hidraw(1, 0, 16), hidraw(2), hidraw(3, size=128), evdev(0), evdev(1),
            evdev(8, size=256), evdev(11, size=8), evdev(17, size=8, more=0),
            evdev(17, size=96, more=1), evdev(17, size=8, more=3), evdev(13, size=96)]


def touched(*contacts):
    """A report of touch(): up to two contacts of a number and a place, and the time."""
    made = [1]
    for number, x, y in contacts:
        made += [3, number, *WORD(x), *WORD(y), *WORD(20), *WORD(20)]
    made += [0] * 10 * (2 - len(contacts))
    return report(*made, *WORD(100), len(contacts))


def kinds():
    """Devices of each kind: a name, and the input."""
    yield "keyboard", device(KEYBOARD, programs() + [
        report(0, 0, 4, 0, 0, 0, 0, 0), report(2, 0, 4, 5, 6, 7, 8, 9), report(*[1] * 8),
        report(*[0] * 8), event(0x11, 1, 1), event(0x14, 0, 250), evdev(2), evdev(4, 4, 0, 7, 0),
        evdev(5, 1, 4, 0), evdev(6, 4, 0, 7, 0, 30), evdev(7, 0, 4, 4, 0, 30, 0, 0, 0, 4, 0, 7, 0),
        write(0, 0, 3), read(0), read(1)])
    yield "keyboard-press", device(KEYBOARD, [report(0, 0, 4, 0, 0, 0, 0, 0)])
    # Alt, PrintScreen and C (Documentation/admin-guide/sysrq.rst), which is off.
    yield "sysrq", device(KEYBOARD, [report(4), report(4, 0, 0x46), report(4, 0, 0x46, 6),
                                     report(*[0] * 8)])
    yield "mouse", device(MOUSE, programs() + [
        report(1, 5, 0xfb, 1), report(0, 0x80, 0x7f, 0xff), read(1), write(6, 0xf3, 200, 0xf3, 100,
        0xf3, 80, 0xf2), read(6), report(7, 1, 1, 1), read(6), look(2), look(3)])
    yield "media", device(MEDIA + POWER, programs() + [
        report(3, 0xe9, 0), report(3, 0, 0), report(4, 1), report(4, 0), report(5, 1), read(1)])
    yield "gamepad", device(GAMEPAD, programs() + [
        report(0, 255, 128, 7, 2, 1, 8), report(128, 128, 128, 128, 0xf, 0, 0),
        evdev(18, more=0), evdev(19, *[0] * 24, more=1), joystick(0), joystick(1), joystick(2),
        joystick(3, size=128), joystick(4), joystick(5), joystick(6, 1, 0), joystick(7),
        joystick(9), read(5), report(3, 3, 3, 3, 3, 3, 3), read(5)])
    yield "touchscreen", device(SCREEN, programs() + [
        touched((1, 100, 200)), touched((1, 110, 210), (2, 3000, 10)), touched((2, 3000, 11)),
        touched(), evdev(12, 0x35, size=44), evdev(18, more=0x2f)],
        answers=[answer(bytes([10])), answer()])
    yield "touchpad", device(PAD, programs() + [
        touched((0, 1, 2)), touched((0, 1, 2), (1, 5, 6)), touched(), read(0), PULL_OUT],
        answers=[answer(bytes([5])), answer(), answer(), answer(), REFUSED])
    yield "pen", device(PEN, programs() + [
        look(0), report(8, 0x10, 0, 1, 0, 1, 0, 0, 0, 0, 90), report(8, 0x11, 0, 64, 0, 64, 255, 15, 45,
        0xd3, 80), report(8, 0, 0, 64, 0, 64, 0, 0, 0, 0, 80), look(0), look(1)],
        answers=[answer(bytes([50]))])
    yield "sensor", device(ACCELEROMETER, [
        hidraw(7, 9, size=16), report(9, 1, 0, 2, 0, 3, 0), look(3)])
    yield "custom-sensor", device(CUSTOM_SENSOR, [report(10, 1, 0, 2, 0), look(3), PULL_OUT])
    yield "headset", device(HEADSET, programs() + [report(11, 1), report(11, 2), event(0x11, 7, 1)])
    yield "vivaldi", device(VIVALDI, [report(0, 0, 4, 0, 0, 0, 0, 0), hidraw(7, 12, size=97)],
                            answers=[answer(bytes([0x70, 0, 0, 0, 0x71, 0, 0, 0]))])
    yield "events-as-text", device(KEYBOARD, [look(4), report(0, 0, 4, 0, 0, 0, 0, 0), look(3)])
    yield "again", device(KEYBOARD, [report(0, 0, 4, 0, 0, 0, 0, 0), PULL_OUT, read(0), read(1),
                                     evdev(8, size=64), event(0x11, 1, 1), PLUG_IN,
                                     report(0, 0, 5, 0, 0, 0, 0, 0), read(1)])
    yield "reports-by-hidraw", device(COMPOSITE, [
        hidraw(6, 5, 1, 2, 3, size=64), hidraw(7, 5, size=64), hidraw(8, 2, size=8),
        hidraw(9, 2, size=9), hidraw(10, 5, 1, size=64), hidraw(11, 5, size=64),
        write(0, 5, 1, 2, 3), report(5, 1, 2, 3), long_report(300, 5), read(0), hidraw(12)],
        answers=[answer(), answer(b"feature"), REFUSED, answer(b"", True), answer(b"\5\1"),
                 answer(b"output"), answer(b"\5\2")])
    for name, numbers in (("zeroplus", (0x0c12, 0x0005)), ("dragonrise", (0x0079, 0x0006)),
                          ("greenasia", (0x0e8f, 0x0012)), ("pantherlord", (0x0810, 0x0001)),
                          ("mayflash", (0x0079, 0x1800)), ("acrux", (0x1a34, 0x0802)),
                          ("smartjoy", (0x6666, 0x0667)), ("ems", (0x0b43, 0x0003)),
                          ("stadia", (0x18d1, 0x9400))):
        yield name, device(RUMBLE, [rumble(), event(0x15, 0, 1), event(0x15, 0, 0),
                                    event(0x15, 0x60, 0x8000), evdev(21), evdev(20, 0), PULL_OUT],
                           (USB, *numbers))
    yield "dualshock", device(GAMEPAD, [
        long_report(54, 1, 128, 128, 128, 128, 8, 0, 0, 0, 0), rumble(), event(0x15, 0, 1)],
        (USB, 0x054c, 0x05c4),
        [answer(bytes(range(1, 16))), answer(bytes([1, 0, 2, 0, 3, 0]) * 6), answer(b"1.0")])
    yield "dualsense", device(GAMEPAD, [
        long_report(54, 1, 128, 128, 128, 128, 0, 0, 0, 8, 0), rumble(), event(0x15, 0, 1)],
        (USB, 0x054c, 0x0ce6),
        [answer(bytes(range(1, 20))), answer(bytes([1, 0, 2, 0, 3, 0]) * 6), answer(b"1.0")])
    yield "magic-mouse", device(MOUSE, [
        report(0x29, 0, 0, 0, 0, 0, *[7] * 8), report(0x29, 1, 2, 3, 4, 5, *[200] * 16)],
        (BLUETOOTH, 0x05ac, 0x030d))
    yield "magic-trackpad", device(MOUSE, [
        report(0x28, 0, 0, 0, *[7] * 9), report(0x28, 1, 0, 0, *[200] * 18)],
        (BLUETOOTH, 0x05ac, 0x030e))
    yield "thinkpad", device(COMPOSITE, [
        report(1, 0, 0, 4, 0, 0, 0, 0, 0), report(2, 4, 0, 0, 0, 0, 0, 1), report(3, 0xe9, 0)],
        (USB, 0x17ef, 0x6047))
    yield "steam", device(COMPOSITE, [long_report(60, 1, 0, 1, 60), long_report(60, 1, 0, 9, 60)],
                          (USB, 0x28de, 0x1102), [answer(), answer(b"\xae\x15\x01FXA9912345")])
    # Things that a descriptor should not have.
    yield "nested", device(items(("page", 1), ("usage", 6)) + items(("collection", 1)) * 24 +
                           items(("push", 0)) * 6, [report(1)])
    yield "long-item", device(b"\xfe\x04\xf0abcd" + MOUSE, [report(1, 2, 3, 4)])
    yield "large", device(items(("page", 1), ("usage", 6), ("collection", 1), ("first", 0),
                                ("last", 0xffff), ("minimum", -0x80000000),
                                ("maximum", 0x7fffffff), ("size", 32), ("count", 100),
                                ("input", 2), ("end", 0)), [long_report(400, 1)])


# As many as hid_identities.cpp has.
KNOWN = 210


def main():
    """Makes all."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    directory = sys.argv[1]
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    made = dict(kinds())
    for number in range(KNOWN):
        made[f"driver-{number:03}"] = device(COMPOSITE, [
            report(1, 0, 0, 4, 0, 0, 0, 0, 0), report(2, 1, 5, 0, 5, 0, 1, 1), report(3, 0xe9, 0),
            report(4, 1), report(5, *range(63)), event(0x11, 1, 1), rumble(), event(0x15, 0, 1),
            PULL_OUT], known=number)
    for name, data in made.items():
        with open(f"{directory}/{name}", "wb") as file:
            file.write(data)


main()
