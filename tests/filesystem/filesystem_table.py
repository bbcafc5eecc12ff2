# SPDX-License-Identifier: GPL-2.0-only
"""Every file system for which Debian has a program that makes one.

A row of TABLE says how an image is made, what the file system cannot hold, and which
program checks it. filesystem_types_test.py runs a row, and what cannot be held must
really be refused or absent; docs/filesystems.py makes README's table of the results.
NOT_MADE names those that no test makes, with the reason.
"""

from dataclasses import dataclass

import hard_cases

MIB = 1 << 20


@dataclass(frozen=True)
class Row:
    """One test. {image}, {image2}, {source}, {empty} and {here} in a command are replaced."""
    name: str                   # of the test
    title: str                  # in the table
    type: str                   # of the kernel
    make: tuple                 # commands; those of a packer read {source}
    check: tuple = ()           # command
    size: int = 64 * MIB        # of each image; 0: the packer makes the file
    images: int = 1
    packed: bool = False        # the maker fills the image, and the kernel only reads it
    compressed: bool = False    # what can be made small is not stored as it is
    options: str = ""           # of mount, in both kernels
    our_options: str = ""       # more for ours
    put: tuple = ()             # words for image_tree, which writes: subvolumes, compression
    lacks: frozenset = frozenset()  # features of hard_cases.py; times: no times at all
    step: int = 1               # nanoseconds that time stamps are multiples of
    leave_out: tuple = ()       # features that are not tried
    remark: str = ""
    no_check: str = ""          # why there is no check
    check_remark: str = ""      # what the check is not
    check_fails: str = ""       # what it says about a fault, where it exits with 0 all the same
    host_may_refuse: bool = False  # a format that a kernel can be built without
    own_report: str = ""        # a report of Linux's own that ends a kernel with checkers: a
    #                             regular expression of its log


def command(text):
    """A command line without quoting as a tuple of words."""
    return tuple(text.split())


def checker(a_row):
    """What the check of a row is called, or why there is none."""
    words = a_row.check[:2] if a_row.check[1:2] == ("check",) else a_row.check[:1]
    return " ".join(filter(None, (" ".join(words) or a_row.no_check, a_row.check_remark)))


def row(name, title, kind, make, check="", lacks="", put="", **others):
    """A Row of strings."""
    makes = tuple(command(line) for line in make.strip().split("\n"))
    return Row(name, title, kind, makes, command(check), lacks=frozenset(lacks.split()),
               put=command(put), **others)


# A packer opens files by their paths, and a few read all of a hole.
BY_PATH = ("deep", "huge")
# ISO 9660 holds a component of a symbolic link in 250 bytes.
BY_PATH_ISO = (*BY_PATH, "symlinks-long")
# genisoimage makes nothing at all if Joliet's tree cannot have a name.
BY_PATH_JOLIET = (*BY_PATH_ISO, "names-bytes")
# mkfs.erofs 1.5 looks for two such names in a path at another place.
BY_PATH_EROFS = (*BY_PATH, "names-255")
NO_ATTRIBUTES = ("attributes-user attributes-large attributes-trusted attributes-security "
                 "acls ")
NO_FILES = "hard-links symlinks symlinks-long devices devices-wide fifos sockets "
NO_TIMES = ("times times-1970 times-before-1970 times-after-2038 times-after-2106 "
            "fractions ")
MINIX = (NO_ATTRIBUTES + "names-long names-255 deep holes huge devices-wide owners-32-bit "
         "times-before-1970 times-after-2106 fractions ")
# Times begin in 1980.
FAT = (NO_ATTRIBUTES + NO_FILES + "names-bytes names-odd names-case holes modes owners "
       "owners-16-bit owners-32-bit times-1970 times-before-1970 times-after-2106 fractions")
FAT_ALONE = FAT + " huge"  # not exFAT
NTFS_DEVICES = ("device numbers are stored, but read as 0:0: a fault of Linux 6.12, which looks "
                "for $LXDEV with a length that is one too many")
HOLES = "the size on disk does not tell whether there are holes"
E2FSCK = "e2fsck -fn {image}"
# A zeroed directory is "No errors found" too, and it never looks at Joliet's.
ISOVFY = "isovfy exits with 0 whatever it finds"

SQUASHFS = [
    row(f"squashfs-{algorithm}", f"SquashFS, {algorithm}", "squashfs",
        f"mksquashfs {{source}} {{image}} -noappend -quiet -no-progress -comp {algorithm}",
        packed=True, compressed=True, leave_out=BY_PATH, size=0,
        no_check="no checker exists", step=10**9,
        lacks="acls times-before-1970 times-after-2106 fractions")
    for algorithm in ("gzip", "lzo", "lz4", "xz", "zstd")]

TABLE = [
    row("ext2", "ext2", "ext2", "mkfs.ext2 -q -b 4096 -I 128 {image}", E2FSCK, step=10**9,
        lacks="times-after-2038 times-after-2106 fractions"),
    row("ext3", "ext3", "ext3", "mkfs.ext3 -q -b 4096 {image}", E2FSCK),
    row("ext4", "ext4", "ext4", "mkfs.ext4 -q -b 4096 {image}", E2FSCK),
    row("ext4-bigalloc", "ext4 with bigalloc, inline data, metadata checksums", "ext4",
        "mkfs.ext4 -q -b 4096 -N 16384 -O bigalloc,inline_data,metadata_csum {image}", E2FSCK,
        size=512 * MIB),
    row("xfs-v4", "XFS, version 4", "xfs", "mkfs.xfs -q -m crc=0 {image}", "xfs_repair -n {image}",
        size=320 * MIB, host_may_refuse=True, lacks="times-after-2038 times-after-2106"),
    row("xfs-v5", "XFS, version 5", "xfs", "mkfs.xfs -q -m rmapbt=1,reflink=1,bigtime=1 {image}",
        "xfs_repair -n {image}", size=320 * MIB),
    row("btrfs", "Btrfs", "btrfs", "mkfs.btrfs -q {image}", "btrfs check -q {image}",
        size=256 * MIB),
    row("btrfs-zstd", "Btrfs, compressed with zstd", "btrfs", "mkfs.btrfs -q {image}",
        "btrfs check -q {image}", size=256 * MIB, compressed=True, options="compress-force=zstd"),
    row("btrfs-raid1", "Btrfs, RAID 1 over two disks", "btrfs",
        "mkfs.btrfs -q -d raid1 -m raid1 {image} {image2}", "btrfs check -q {image}", images=2,
        size=256 * MIB, our_options="device=/dev/vdb"),
    row("btrfs-subvolumes", "Btrfs, with subvolumes and a snapshot", "btrfs",
        "mkfs.btrfs -q {image}", "btrfs check -q {image}", size=256 * MIB,
        put="--subvolume=directories --subvolume=directories/a --subvolume=many "
        "--subvolume=holes --snapshot=directories:snapshot"),
    row("f2fs", "F2FS", "f2fs", "mkfs.f2fs -q {image}", "fsck.f2fs --dry-run {image}",
        size=128 * MIB),
    row("f2fs-zstd", "F2FS, compressed with zstd", "f2fs",
        "mkfs.f2fs -q -O extra_attr,inode_checksum,inode_crtime,compression {image}",
        "fsck.f2fs --dry-run {image}", size=128 * MIB,
        compressed=True, options="compress_algorithm=zstd,compress_extension=*"),
    row("nilfs2", "NILFS2", "nilfs2", "mkfs.nilfs2 -q {image}", size=160 * MIB,
        no_check="no checker exists",
        lacks=NO_ATTRIBUTES),
    row("jfs", "JFS", "jfs", "mkfs.jfs -q {image}", "fsck.jfs -n -f {image}",
        lacks="times-before-1970 times-after-2106",
        own_report=r"UBSAN: array-index-out-of-bounds in \S*/fs/jfs/"),
    row("reiserfs", "ReiserFS", "reiserfs", "mkfs.reiserfs -q -f {image}",
        "reiserfsck --check --yes {image}", options="acl,user_xattr",
        lacks="times-before-1970 times-after-2106 fractions", leave_out=("acls",),
        remark="ACLs are stored, and may be missing in the list of a file's attributes: a fault "
        "of Linux 6.12, whose listxattr() compares names that have no end"),
    row("gfs2", "GFS2, without a lock manager", "gfs2",
        "mkfs.gfs2 -q -O -p lock_nolock -j 1 -J 8 {image}", "fsck.gfs2 -n {image}",
        size=128 * MIB, options="acl",
        lacks="devices devices-wide",
        remark="device numbers are stored, but read as 0:0: a fault of Linux 6.12, which takes "
        "them from disk only while an inode is new, and reads it later"),
    row("ocfs2", "OCFS2, local", "ocfs2",
        "mkfs.ocfs2 -q -x -M local --fs-features=xattr {image}", "fsck.ocfs2 -fn {image}",
        size=256 * MIB, options="heartbeat=none,acl", check_fails="? n",
        own_report=r"check_noncircular\+[^!]*ocfs2_xattr_ibody_set\+"),
    row("minix1", "Minix, version 1", "minix", "mkfs.minix -1 -n 30 -i 12000 {image}",
        "fsck.minix -f {image}", step=10**9, size=32 * MIB,
        lacks=MINIX + "owners-16-bit"),
    row("minix2", "Minix, version 2", "minix", "mkfs.minix -2 -n 30 -i 12000 {image}",
        "fsck.minix -f {image}", step=10**9,
        lacks=MINIX),
    row("minix3", "Minix, version 3", "minix", "mkfs.minix -3 -i 12000 {image}",
        "fsck.minix -f {image}", step=10**9,
        lacks=MINIX),
    row("fat12", "FAT12", "vfat", "mkfs.fat -F 12 -s 64 {image}", "fsck.fat -n {image}",
        size=120 * MIB, step=2 * 10**9, lacks=FAT_ALONE),
    row("fat16", "FAT16", "vfat", "mkfs.fat -F 16 {image}", "fsck.fat -n {image}",
        step=2 * 10**9, lacks=FAT_ALONE),
    row("fat32", "FAT32", "vfat", "mkfs.fat -F 32 -s 1 {image}", "fsck.fat -n {image}",
        step=2 * 10**9, lacks=FAT_ALONE),
    row("exfat", "exFAT", "exfat", "mkfs.exfat {image}", "fsck.exfat -n {image}", step=10**7,
        size=5 << 30,  # it knows no holes
        lacks=FAT),
    row("ntfs", "NTFS (ntfs3)", "ntfs3", "mkfs.ntfs -q -F -Q {image}", "ntfsfix -n {image}",
        step=100, options="acl,sparse", check_remark="of the main records alone",
        lacks="names-bytes devices devices-wide fractions",
        remark="holes with the mount option sparse; " + NTFS_DEVICES),
    row("ntfs-compressed", "NTFS (ntfs3), compressed", "ntfs3", "mkfs.ntfs -q -F -Q {image}",
        "ntfsfix -n {image}", step=100, options="acl", compressed=True, put="--compress",
        check_remark="of the main records alone",
        lacks="names-bytes huge devices devices-wide fractions",
        remark="data past 4 GiB lands at its offset modulo 4 GiB: a fault of Linux 6.12, whose "
        "ntfs_compress_write() masks offsets with 32 bits; " + NTFS_DEVICES),
    row("hfs", "HFS", "hfs", "hformat {image}", step=10**9, no_check="Debian 12 has no fsck.hfs",
        lacks=NO_ATTRIBUTES + NO_FILES + "names-long names-255 names-case deep holes huge modes "
        "owners owners-16-bit owners-32-bit times-before-1970 times-after-2106 fractions"),
    row("udf", "UDF", "udf", "mkfs.udf --media-type=hd --blocksize=512 {image}",
        no_check="udftools has no checker", step=1000,
        lacks=NO_ATTRIBUTES + "names-255 names-bytes symlinks-long devices-wide fractions"),
    # One directory, and 512 files at most.
    row("bfs", "BFS", "bfs", "mkfs.bfs -N 48 {image}", no_check="no checker exists",
        step=10**9, size=4 * MIB, lacks="directories",
        leave_out=tuple(name for name in hard_cases.FEATURES if name != "directories")),
    *SQUASHFS,
    row("erofs", "EROFS", "erofs", "mkfs.erofs -d0 {image} {source}",
        "fsck.erofs {image}", packed=True, leave_out=BY_PATH_EROFS, size=0),
    row("erofs-lz4", "EROFS, lz4", "erofs", "mkfs.erofs -d0 -zlz4 {image} {source}",
        "fsck.erofs {image}", compressed=True, packed=True, leave_out=BY_PATH_EROFS, size=0),
    row("erofs-lz4hc", "EROFS, lz4hc", "erofs", "mkfs.erofs -d0 -zlz4hc {image} {source}",
        "fsck.erofs {image}", compressed=True, packed=True, leave_out=BY_PATH_EROFS, size=0),
    row("iso9660", "ISO 9660 with Rock Ridge", "iso9660",
        "genisoimage -quiet -R -iso-level 3 -o {image} {source}",
        packed=True, leave_out=BY_PATH_ISO, size=0, no_check=ISOVFY, step=10**9,
        lacks=NO_ATTRIBUTES + "names-255 hard-links times-after-2106 fractions"),
    # Linux takes Rock Ridge's tree by itself.
    row("iso9660-both", "ISO 9660 with Rock Ridge and Joliet", "iso9660",
        "genisoimage -quiet -R -J -joliet-long -iso-level 3 -o {image} {source}",
        packed=True, leave_out=BY_PATH_JOLIET, size=0, no_check=ISOVFY, step=10**9,
        lacks=NO_ATTRIBUTES + "names-255 hard-links times-after-2106 fractions"),
    row("iso9660-joliet", "ISO 9660 with Joliet", "iso9660",
        "xorriso -as mkisofs -quiet -J -joliet-long -o {image} {source}", packed=True,
        leave_out=BY_PATH_ISO, size=0,
        no_check=ISOVFY, options="norock", step=10**9,
        lacks=NO_ATTRIBUTES + NO_FILES.replace("symlinks-long",
        "") + "names-255 names-bytes names-odd names-case modes owners owners-16-bit "
        "owners-32-bit times-after-2106 fractions"),
    row("cramfs", "Cramfs", "cramfs", "mkfs.cramfs {source} {image}", "fsck.cramfs {image}",
        compressed=True, packed=True, leave_out=BY_PATH, size=0,
        lacks=NO_ATTRIBUTES + NO_TIMES + "names-255 hard-links devices-wide owners-16-bit "
        "owners-32-bit"),
    row("romfs", "Romfs", "romfs", "genromfs -f {image} -d {source}", packed=True,
        leave_out=BY_PATH, size=0,
        no_check="no checker exists",
        lacks=NO_ATTRIBUTES + NO_TIMES + "names-255 hard-links devices-wide modes owners "
        "owners-16-bit owners-32-bit"),
    row("ufs1", "UFS 1", "ufs", "makefs -t ffs -b 20% -o version=1 {image} {source}", packed=True,
        leave_out=BY_PATH,
        size=0, no_check="no checker in Debian", options="ufstype=44bsd",
        lacks=NO_ATTRIBUTES + "devices-wide sockets times-after-2038 times-after-2106 fractions",
        own_report=r"UBSAN: shift-out-of-bounds in \S*/fs/ufs/"),
    row("hfsplus", "HFS+", "hfsplus",
        "xorriso -as mkisofs -quiet -hfsplus -o {image} {source}", packed=True,
        leave_out=BY_PATH_ISO, size=0,
        no_check="Debian 12 has no fsck.hfsplus, and hpfsck refuses what xorriso makes",
        step=10**9,
        lacks=NO_ATTRIBUTES + "names-bytes names-case hard-links devices devices-wide modes "
        "times-before-1970 times-after-2106 fractions"),
    row("jffs2", "JFFS2, on block2mtd", "jffs2",
        # Its --pad, of an erased flash, takes ten seconds.
        "mkfs.jffs2 --root={empty} --output={image} --eraseblock=128KiB\n"
        'python3 -c open("{image}","ab").write(b"\\xff"*(64<<20))',
        compressed=True, no_check="no checker exists", size=0, step=10**9,
        lacks="names-255 huge holes symlinks-long owners-32-bit times-before-1970 times-after-2106 "
        "fractions", remark=HOLES),
    row("ubifs", "UBIFS, on block2mtd", "ubifs", "{here}/make_ubifs.sh {image}",
        compressed=True, no_check="no checker exists", step=10**9, lacks="holes acls fractions",
        remark=HOLES),
]

NO_MAKER = "no package of Debian 12 has a mkfs"
NOT_MADE = (
    ("bcachefs", "Debian 12 has no package bcachefs-tools"),
    ("UFS 2", "makefs puts the superblock at 8 KiB, and Linux looks for it at 64 KiB"),
    ("SquashFS, lzma", "mksquashfs packs with it, and Linux cannot unpack it"),
    ("Reiser4, APFS, CP/M", "Debian 12 has reiser4progs, apfsprogs and cpmtools, but Linux 6.12 "
     "does not know these types"),
    ("AFFS, ADFS, BeFS, EFS, HPFS, OMFS, QNX4, QNX6, SysV, VxFS", NO_MAKER),
    ("zonefs", "Debian 12 has no package zonefs-tools, and it needs a zoned device"),
    ("EROFS, lzma, deflate, zstd", "Debian 12's mkfs.erofs packs with lz4 and lz4hc alone"),
    ("overlay, FUSE, NFS, SMB, 9p", "not on a disk of their own. `ctest -R "
     "'Overlay|Fuse|NetworkFilesystem|SmbClient'` tests them, with servers of Debian: nfs-ganesha "
     "(version 3 to 4.2, of which 4.2 is not read: what that server answers to READ_PLUS has no "
     "data), Samba (1 to 3.1.1, signed and encrypted) and diod"),
    ("virtiofs, Ceph", "not on a disk of their own; they are built, and no test has a server for "
     "them"),
    ("tracefs", "in the image of `make kernel-trace` (see docs/debugging.md): it comes with some "
     "2,600 trace events, which cost more start-up time than all the rest"),
)
