"""Is a host file a program that Kin can run?"""
import struct

ET_EXEC, ET_DYN = 2, 3
EM_X86_64 = 62
PT_INTERP = 3


def why_not_static(path):
    """None for a static x86_64 ELF program, else what is wrong with it."""
    with open(path, "rb") as file:
        header = file.read(64)
        if len(header) < 64 or header[:4] != b"\x7fELF":
            return "not an ELF file"
        if header[4] != 2 or header[5] != 1:
            return "not a 64-bit little-endian ELF file"
        kind, machine = struct.unpack_from("<HH", header, 16)
        if machine != EM_X86_64:
            return "not for x86_64"
        if kind not in (ET_EXEC, ET_DYN):
            return "not an executable (an object file, or a core)"
        offset, = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        for index in range(count):
            file.seek(offset + index * size)
            field = file.read(4)
            if len(field) == 4 and struct.unpack("<I", field)[0] == PT_INTERP:
                return "not static: it needs a dynamic loader (link it with -static or -static-pie)"
    return None
