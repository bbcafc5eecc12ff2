// SPDX-License-Identifier: GPL-2.0-only
#include "hid_identities.hpp"

#include <array>

namespace lkl::fuzz {

namespace {

constexpr uint16_t usb = 3;
constexpr uint16_t bluetooth = 5;
constexpr uint16_t i2c = 0x18;

// By driver (drivers/hid/hid-*.c): one for each thing that its table asks of it, and all where
// it looks at the product itself. Inputs know them by their places: new ones come last.
constexpr std::array table{
    // a4tech
    HidIdentity{usb, 0x09da, 0x0006},
    HidIdentity{usb, 0x09da, 0x000a},
    // acrux
    HidIdentity{usb, 0x1a34, 0x0802},
    // alps
    HidIdentity{i2c, 0x044e, 0x120b},
    // apple
    HidIdentity{usb, 0x05ac, 0x0304},
    HidIdentity{usb, 0x05ac, 0x020e},
    HidIdentity{usb, 0x05ac, 0x0218},
    HidIdentity{usb, 0x05ac, 0x0219},
    HidIdentity{usb, 0x05ac, 0x021d},
    HidIdentity{bluetooth, 0x05ac, 0x024f},
    HidIdentity{bluetooth, 0x05ac, 0x022c},
    HidIdentity{bluetooth, 0x05ac, 0x022d},
    HidIdentity{usb, 0x05ac, 0x0267},
    HidIdentity{bluetooth, 0x004c, 0x0267},
    HidIdentity{usb, 0x05ac, 0x0224},
    HidIdentity{usb, 0x05ac, 0x0225},
    HidIdentity{usb, 0x05ac, 0x027a},
    HidIdentity{usb, 0x05ac, 0x8102},
    // aureal
    HidIdentity{usb, 0x0755, 0x2626},
    // belkin
    HidIdentity{usb, 0x050d, 0x3201},
    HidIdentity{usb, 0x1020, 0x0006},
    // cherry
    HidIdentity{usb, 0x046a, 0x0023},
    // cmedia
    HidIdentity{usb, 0x0d8c, 0x0022},
    // cougar
    HidIdentity{usb, 0x060b, 0x500a},
    // cypress
    HidIdentity{usb, 0x04b4, 0xde61},
    HidIdentity{usb, 0x04b4, 0x0001},
    HidIdentity{usb, 0x04b4, 0x07b1},
    // dragonrise
    HidIdentity{usb, 0x0079, 0x0006},
    // elecom
    HidIdentity{bluetooth, 0x056e, 0x0061},
    HidIdentity{bluetooth, 0x056e, 0x01ac},
    HidIdentity{usb, 0x056e, 0x00e6},
    HidIdentity{usb, 0x056e, 0x00fb},
    HidIdentity{usb, 0x056e, 0x018f},
    HidIdentity{usb, 0x056e, 0x00fc},
    HidIdentity{usb, 0x056e, 0x00fd},
    HidIdentity{usb, 0x056e, 0x00fe},
    HidIdentity{usb, 0x056e, 0x00ff},
    HidIdentity{usb, 0x056e, 0x010c},
    HidIdentity{usb, 0x056e, 0x010d},
    HidIdentity{usb, 0x056e, 0x011c},
    HidIdentity{usb, 0x056e, 0x01aa},
    HidIdentity{usb, 0x056e, 0x01ab},
    // ems_ff
    HidIdentity{usb, 0x2006, 0x0118},
    // evision
    HidIdentity{usb, 0x320f, 0x5041},
    // ezkey
    HidIdentity{usb, 0x0518, 0x0002},
    // gembird
    HidIdentity{usb, 0x11ff, 0x3331},
    // gfrm
    HidIdentity{bluetooth, 0x0058, 0x2000},
    HidIdentity{bluetooth, 0x0471, 0x2210},
    // glorious
    HidIdentity{usb, 0x258a, 0x0036},
    HidIdentity{usb, 0x258a, 0x0033},
    HidIdentity{usb, 0x22d4, 0x1503},
    // google_stadia_ff
    HidIdentity{usb, 0x18d1, 0x9400},
    // greenasia
    HidIdentity{usb, 0x0e8f, 0x0012},
    // gyration
    HidIdentity{usb, 0x0c16, 0x0002},
    // icade
    HidIdentity{bluetooth, 0x15e4, 0x0132},
    // ite
    HidIdentity{usb, 0x048d, 0x8595},
    HidIdentity{usb, 0x06cb, 0x2968},
    // kensington
    HidIdentity{usb, 0x047d, 0x2041},
    // keytouch
    HidIdentity{usb, 0x0926, 0x3333},
    // kye
    HidIdentity{usb, 0x0458, 0x0087},
    HidIdentity{usb, 0x0458, 0x0138},
    HidIdentity{usb, 0x0458, 0x0153},
    HidIdentity{usb, 0x0458, 0x4018},
    HidIdentity{usb, 0x0458, 0x5005},
    HidIdentity{usb, 0x0458, 0x500f},
    HidIdentity{usb, 0x0458, 0x5010},
    HidIdentity{usb, 0x0458, 0x5011},
    HidIdentity{usb, 0x0458, 0x5012},
    HidIdentity{usb, 0x0458, 0x5013},
    HidIdentity{usb, 0x0458, 0x5014},
    HidIdentity{usb, 0x0458, 0x5015},
    HidIdentity{usb, 0x0458, 0x5016},
    HidIdentity{usb, 0x0458, 0x5017},
    HidIdentity{usb, 0x0458, 0x5019},
    HidIdentity{usb, 0x0458, 0x501a},
    HidIdentity{usb, 0x0458, 0x501b},
    // lcpower
    HidIdentity{usb, 0x1241, 0xf767},
    // led
    HidIdentity{usb, 0x1294, 0x1320},
    HidIdentity{usb, 0x1d34, 0x0004},
    HidIdentity{usb, 0x1d34, 0x000a},
    HidIdentity{usb, 0x27b8, 0x01ed},
    HidIdentity{usb, 0x0fc5, 0xb080},
    HidIdentity{usb, 0x04d8, 0xf372},
    // lenovo
    HidIdentity{usb, 0x17ef, 0x6009},
    HidIdentity{usb, 0x17ef, 0x6047},
    HidIdentity{usb, 0x17ef, 0x60ee},
    HidIdentity{bluetooth, 0x17ef, 0x6048},
    HidIdentity{bluetooth, 0x17ef, 0x60e1},
    HidIdentity{usb, 0x17ef, 0x6067},
    HidIdentity{usb, 0x04b3, 0x3100},
    HidIdentity{usb, 0x04b3, 0x3103},
    HidIdentity{usb, 0x04b3, 0x3105},
    HidIdentity{usb, 0x04b3, 0x3108},
    HidIdentity{usb, 0x04b3, 0x3109},
    HidIdentity{usb, 0x17ef, 0x6049},
    HidIdentity{usb, 0x17ef, 0x6062},
    HidIdentity{usb, 0x17ef, 0x60a3},
    HidIdentity{usb, 0x17ef, 0x60a4},
    HidIdentity{usb, 0x17ef, 0x60b5},
    // macally
    HidIdentity{usb, 0x060b, 0x0001},
    // magicmouse
    HidIdentity{bluetooth, 0x05ac, 0x030d},
    HidIdentity{bluetooth, 0x004c, 0x0269},
    HidIdentity{usb, 0x05ac, 0x0269},
    HidIdentity{bluetooth, 0x05ac, 0x030e},
    HidIdentity{bluetooth, 0x004c, 0x0265},
    HidIdentity{usb, 0x05ac, 0x0265},
    HidIdentity{bluetooth, 0x004c, 0x0324},
    HidIdentity{usb, 0x05ac, 0x0324},
    // maltron
    HidIdentity{usb, 0x058f, 0x9410},
    // mayflash
    HidIdentity{usb, 0x0079, 0x1801},
    HidIdentity{usb, 0x0079, 0x1803},
    HidIdentity{usb, 0x0079, 0x1843},
    HidIdentity{usb, 0x0079, 0x1844},
    HidIdentity{usb, 0x0079, 0x1846},
    // microsoft
    HidIdentity{usb, 0x045e, 0x003b},
    HidIdentity{usb, 0x045e, 0x0048},
    HidIdentity{usb, 0x045e, 0x00f9},
    HidIdentity{usb, 0x045e, 0x0713},
    HidIdentity{usb, 0x045e, 0x009d},
    HidIdentity{usb, 0x045e, 0x076c},
    HidIdentity{bluetooth, 0x045e, 0x091b},
    HidIdentity{bluetooth, 0x045e, 0x02fd},
    // monterey
    HidIdentity{usb, 0x0566, 0x3004},
    // multitouch
    HidIdentity{usb, 0x0596, 0x0500},
    HidIdentity{usb, 0x1130, 0x3101},
    HidIdentity{usb, 0x0b05, 0x183d},
    HidIdentity{usb, 0x0b05, 0x184a},
    HidIdentity{usb, 0x03eb, 0x2118},
    HidIdentity{usb, 0x2453, 0x0100},
    HidIdentity{usb, 0x2087, 0x0a01},
    HidIdentity{usb, 0x0eef, 0x480d},
    HidIdentity{usb, 0x0eef, 0x7207},
    HidIdentity{i2c, 0x0eef, 0xc002},
    HidIdentity{i2c, 0x04f3, 0x313a},
    HidIdentity{i2c, 0x04f3, 0x32ae},
    HidIdentity{usb, 0x25b5, 0x0002},
    HidIdentity{usb, 0x0dfc, 0x0003},
    HidIdentity{usb, 0x0dfc, 0x0100},
    HidIdentity{usb, 0x22ed, 0x1010},
    HidIdentity{i2c, 0x347d, 0x7853},
    HidIdentity{usb, 0x1fd2, 0x6007},
    HidIdentity{usb, 0x17ef, 0x6161},
    HidIdentity{usb, 0x0486, 0x0185},
    HidIdentity{usb, 0x04da, 0x1044},
    HidIdentity{usb, 0x093a, 0x8001},
    HidIdentity{usb, 0x0408, 0x3001},
    HidIdentity{i2c, 0x06cb, 0x8323},
    HidIdentity{usb, 0x0b8c, 0x0092},
    HidIdentity{usb, 0x0483, 0x3261},
    HidIdentity{usb, 0x1784, 0x0016},
    HidIdentity{i2c, 0x0416, 0xc168},
    HidIdentity{i2c, 0x18d1, 0x5028},
    // nti
    HidIdentity{usb, 0x0757, 0x0a00},
    // ortek
    HidIdentity{usb, 0x05a4, 0x1700},
    // pantherlord
    HidIdentity{usb, 0x0810, 0x0001},
    HidIdentity{usb, 0x0810, 0x0002},
    HidIdentity{usb, 0x0e8f, 0x0003},
    HidIdentity{usb, 0x0f30, 0x0111},
    // petalynx
    HidIdentity{usb, 0x18b1, 0x0037},
    // playstation
    HidIdentity{bluetooth, 0x054c, 0x05c4},
    HidIdentity{usb, 0x054c, 0x05c4},
    HidIdentity{bluetooth, 0x054c, 0x09cc},
    HidIdentity{usb, 0x054c, 0x09cc},
    HidIdentity{usb, 0x054c, 0x0ba0},
    HidIdentity{bluetooth, 0x054c, 0x0ce6},
    HidIdentity{usb, 0x054c, 0x0ce6},
    HidIdentity{bluetooth, 0x054c, 0x0df2},
    HidIdentity{usb, 0x054c, 0x0df2},
    // primax
    HidIdentity{usb, 0x0461, 0x4e05},
    // pxrc
    HidIdentity{usb, 0x1781, 0x0898},
    // razer
    HidIdentity{usb, 0x1532, 0x010e},
    // redragon
    HidIdentity{usb, 0x0c45, 0x760b},
    // saitek
    HidIdentity{usb, 0x06a3, 0x0621},
    HidIdentity{usb, 0x0738, 0x1705},
    HidIdentity{usb, 0x06a3, 0x0cd0},
    // semitek
    HidIdentity{usb, 0x1ea7, 0x0907},
    // smartjoyplus
    HidIdentity{usb, 0x6666, 0x8801},
    HidIdentity{usb, 0x6666, 0x8802},
    HidIdentity{usb, 0x6666, 0x8804},
    HidIdentity{usb, 0x0925, 0x0005},
    HidIdentity{usb, 0x0925, 0x8888},
    HidIdentity{usb, 0x0925, 0x8866},
    HidIdentity{usb, 0x0b43, 0x0003},
    // speedlink
    HidIdentity{usb, 0x1ae7, 0x9001},
    // steam
    HidIdentity{usb, 0x28de, 0x1102},
    HidIdentity{usb, 0x28de, 0x1142},
    HidIdentity{usb, 0x28de, 0x1205},
    // sunplus
    HidIdentity{usb, 0x04fc, 0x05d8},
    // tivo
    HidIdentity{bluetooth, 0x150a, 0x1200},
    HidIdentity{usb, 0x150a, 0x1201},
    HidIdentity{usb, 0x150a, 0x1203},
    // topre
    HidIdentity{usb, 0x0853, 0x0148},
    HidIdentity{usb, 0x0853, 0x0146},
    HidIdentity{usb, 0x0853, 0x0313},
    // topseed
    HidIdentity{usb, 0x0766, 0x0204},
    // twinhan
    HidIdentity{usb, 0x6253, 0x0100},
    // udraw_ps3
    HidIdentity{usb, 0x20d6, 0xcb17},
    // viewsonic
    HidIdentity{usb, 0x0543, 0xe621},
    // vrc2
    HidIdentity{usb, 0x07c0, 0x1125},
    // waltop
    HidIdentity{usb, 0x172f, 0x0032},
    HidIdentity{usb, 0x172f, 0x0034},
    HidIdentity{usb, 0x172f, 0x0037},
    HidIdentity{usb, 0x172f, 0x0038},
    HidIdentity{usb, 0x172f, 0x0501},
    HidIdentity{usb, 0x172f, 0x0500},
    HidIdentity{usb, 0x172f, 0x0502},
    // xiaomi
    HidIdentity{bluetooth, 0x2717, 0x5014},
    // xinmo
    HidIdentity{usb, 0x16c0, 0x05e1},
    // zeroplus
    HidIdentity{usb, 0x0c12, 0x0005},
    // zydacron
    HidIdentity{usb, 0x13ec, 0x0006},
};

}  // namespace

std::span<const HidIdentity> hid_identities()
{
    return table;
}

}  // namespace lkl::fuzz
