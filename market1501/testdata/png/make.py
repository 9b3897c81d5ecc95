#!/usr/bin/python3
"""Makes the PNG files of this folder, and pixels.txt: what Pillow's convert("RGB") makes
of each (Debian 12's python3-pil). A line is a file's name, its size and the SHA-256 of
its bytes [height, width, 3], or "refused"."""
import hashlib, os, random, struct, zlib
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEIGHT = 13, 11
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def rows(r, width, height, depth, kind):
    out = b""
    for _ in range(height):
        n = (width * depth * CHANNELS[kind] + 7) // 8
        out += b"\0" + bytes(r.choice([r.randrange(256), 0, 255]) for _ in range(n))
    return out


def png(depth, kind, interlaced=False, transparent=b""):
    r = random.Random(depth * 10 + kind)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, kind, 0, 0, interlaced))
    if kind == PALETTE:
        out += chunk(b"PLTE", bytes(r.randrange(256) for _ in range(3 << depth)))
    if transparent:
        out += chunk(b"tRNS", transparent)
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    content = b""
    for x, y, dx, dy in passes:
        content += rows(r, (WIDTH - x + dx - 1) // dx, (HEIGHT - y + dy - 1) // dy, depth, kind)
    return out + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")


def files():
    for name, kind, depths in [("grey", GREY, (1, 2, 4, 8, 16)), ("rgb", RGB, (8, 16)), ("palette", PALETTE, (1, 2, 4, 8)),
                               ("grey-alpha", GREY_ALPHA, (8, 16)), ("rgb-alpha", RGB_ALPHA, (8, 16))]:
        for depth in depths:
            yield f"{name}-{depth}.png", png(depth, kind)
    yield "rgb-8-interlaced.png", png(8, RGB, interlaced=True)
    yield "rgb-8-transparent.png", png(8, RGB, transparent=b"\0\xff" * 3)
    yield "grey-8-transparent.png", png(8, GREY, transparent=b"\0\xff")
    yield "grey-16-transparent.png", png(16, GREY, transparent=b"\xff\xff")
    yield "palette-8-transparent.png", png(8, PALETTE, transparent=bytes([0, 128, 255]))
    whole = png(8, RGB)
    yield "cut.png", whole[:-40]


def main():
    with open(os.path.join(HERE, "pixels.txt"), "w") as out:
        for name, content in files():
            path = os.path.join(HERE, name)
            with open(path, "wb") as file:
                file.write(content)
            try:
                image = Image.open(path).convert("RGB")
                digest = hashlib.sha256(image.tobytes()).hexdigest()
                print(name, f"{image.width}x{image.height}", digest, file=out)
            except OSError:
                print(name, "refused", file=out)


main()
