#!/usr/bin/python3
"""Makes the JPEG files of this folder, and pixels.txt: what Pillow decodes of each.

    ./make.py                     (libjpeg-turbo-progs and python3-pil of Debian 12)
    ./make.py --list DIR > LIST   what Pillow decodes of any folder of files; then
    REIDBENCH_JPEG_LIST=LIST go test -run TestPixels ../

A line of pixels.txt is a file's name, its size and the SHA-256 of its bytes [height,
width, 3] in RGB, or "refused". Where djpeg gives RGB or grey for a whole file, its
pixels must be the same as Pillow's.
"""
import hashlib, io, math, os, random, subprocess, sys
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))


def decoded(path):
    try:
        with Image.open(path) as image:
            image = image.convert("RGB")
    except (OSError, SyntaxError):
        return None
    return image


def line(name, path):
    image = decoded(path)
    if image is None:
        return f"{name} refused"
    return f"{name} {image.width}x{image.height} {hashlib.sha256(image.tobytes()).hexdigest()}"


def scene(width, height, seed):
    """A picture with edges, gradients and noise, in RGB."""
    r = random.Random(seed)
    waves = [[(r.uniform(-.5, .5), r.uniform(-.5, .5), r.uniform(0, 6), r.uniform(20, 60)) for _ in range(4)]
             for _ in range(3)]
    left, top = r.randrange(width), r.randrange(height)
    out = bytearray()
    for y in range(height):
        for x in range(width):
            for c in range(3):
                v = 128 + sum(a * math.sin(p * x + q * y + s) for p, q, s, a in waves[c])
                if x > left and y > top:
                    v = 255 - v
                out.append(min(max(int(v + r.uniform(-12, 12)), 0), 255))
    return bytes(out)


def cjpeg(width, height, *options, seed=1, grey=False):
    pixels = scene(width, height, seed)
    if grey:
        pixels = pixels[1::3]
    header = b"P%d %d %d 255\n" % (5 if grey else 6, width, height)
    return subprocess.run(["cjpeg", *options], input=header + pixels, stdout=subprocess.PIPE, check=True).stdout


def segments(content):
    """(begin, end, marker) of each; a scan has its data."""
    found, i = [], 2
    while content[i + 1] != 0xD9:
        marker, end = content[i + 1], i + 2 + int.from_bytes(content[i + 2:i + 4], "big")
        while marker == 0xDA and not (content[end] == 0xFF and content[end + 1] not in (0, *range(0xD0, 0xD8))):
            end += 1
        found.append((i, end, marker))
        i = end
    return found


def without(content, *markers):
    out = bytearray(content[:2])
    for begin, end, marker in segments(content):
        if marker not in markers:
            out += content[begin:end]
    return bytes(out) + b"\xff\xd9"


def first_scans(content, count):
    out = bytearray(content[:2])
    for begin, end, marker in segments(content):
        if marker == 0xDA:
            count -= 1
        if count >= 0:
            out += content[begin:end]
    return bytes(out) + b"\xff\xd9"


def damaged(content, seed):
    """The same file with a few bits turned in the data of its scans."""
    r, out = random.Random(seed), bytearray(content)
    begin, end, _ = r.choice([s for s in segments(content) if s[2] == 0xDA])
    for _ in range(r.randrange(1, 5)):
        out[r.randrange(min(begin + 14, end - 1), end)] ^= 1 << r.randrange(8)
    return bytes(out)


def files():
    samplings = ["1x1", "2x1", "1x2", "2x2", "4x1", "4x2", "1x4", "3x1", "2x2,1x1,1x2", "2x2,2x1,1x1", "1x1,2x2,2x2",
                 "1x2,2x1,1x1", "4x1,2x1,1x1"]
    for s in samplings:
        name = s.replace(",", "_")
        yield f"sampling-{name}.jpg", cjpeg(37, 29, "-quality", "80", "-sample", s)
        yield f"sampling-{name}-progressive.jpg", cjpeg(29, 37, "-quality", "80", "-sample", s, "-progressive", seed=2)
    for w, h in [(1, 1), (2, 1), (1, 2), (3, 3), (4, 4), (5, 5), (8, 8), (9, 9), (16, 16), (17, 17), (31, 1), (1, 31)]:
        yield f"size-{w}x{h}.jpg", cjpeg(w, h, "-sample", "2x2", "-optimize")
    for q in [1, 30, 100]:
        yield f"quality-{q}.jpg", cjpeg(40, 40, "-quality", str(q))
    yield "pedestrian.jpg", cjpeg(64, 128, "-quality", "90")
    yield "pedestrian-progressive.jpg", cjpeg(64, 128, "-quality", "75", "-progressive")
    yield "grey.jpg", cjpeg(37, 29, grey=True)
    yield "grey-progressive.jpg", cjpeg(37, 29, "-progressive", grey=True)
    yield "grey-2x2.jpg", cjpeg(37, 29, "-sample", "2x2", grey=True)
    yield "rgb.jpg", cjpeg(37, 29, "-rgb")
    yield "rgb-by-ids.jpg", without(cjpeg(37, 29, "-rgb"), 0xEE)
    yield "ycc-without-jfif.jpg", without(cjpeg(37, 29), 0xE0)
    yield "no-huffman-tables.jpg", without(cjpeg(37, 29), 0xC4)
    yield "no-huffman-tables-progressive.jpg", without(cjpeg(37, 29, "-progressive"), 0xC4)
    yield "no-quantization-tables.jpg", without(cjpeg(37, 29), 0xDB)
    yield "restart-every-mcu.jpg", cjpeg(37, 29, "-restart", "1B")
    yield "restart-every-row-progressive.jpg", cjpeg(37, 29, "-restart", "1", "-progressive")
    yield "arithmetic.jpg", cjpeg(37, 29, "-arithmetic")
    for name, transform in [("cmyk", 0), ("ycck", 2)]:
        out = io.BytesIO()
        Image.frombytes("CMYK", (33, 27), scene(33, 36, 3)).save(out, "JPEG", quality=85)
        content = bytearray(out.getvalue())
        content[content.index(b"Adobe") + 11] = transform
        yield name + ".jpg", bytes(content)
    yield "cmyk-without-adobe.jpg", without(bytes(content), 0xEE)
    scans = os.path.join("/tmp", "scans.txt")
    with open(scans, "w") as script:
        script.write("0;\n1;\n2;\n")
    yield "scan-per-component.jpg", cjpeg(37, 29, "-scans", scans)
    yield "scan-missing.jpg", first_scans(cjpeg(37, 29, "-scans", scans), 2)
    os.remove(scans)

    progressive = cjpeg(75, 61, "-progressive", "-quality", "60")
    for n in range(1, 10):
        yield f"first-{n}-scans.jpg", first_scans(progressive, n)
    yield "first-scan-narrow.jpg", first_scans(cjpeg(16, 90, "-progressive", seed=4), 1)
    yield "first-scan-1x2.jpg", first_scans(cjpeg(70, 90, "-progressive", "-sample", "1x2", seed=4), 1)

    whole = cjpeg(37, 29, "-quality", "60")
    for n in [1, 2, 3, 4, 10, 60]:
        yield f"cut-{n}.jpg", whole[:-n]
    for seed in range(1000):  # where libjpeg has no need to look for more bits than there are
        cut = cjpeg(8, 8, seed=seed, grey=True)[:-2]
        if "refused" not in line("", io.BytesIO(cut)):
            yield "cut-2-complete.jpg", cut
            break
    yield "cut-2-large.jpg", cjpeg(24, 24, "-quality", "100", seed=86, grey=True)[:-2]  # where it has read ahead
    restarts = cjpeg(45, 45, "-restart", "1B", "-quality", "60")
    at = [i for i in range(len(restarts)) if restarts[i] == 0xFF and 0xD0 <= restarts[i + 1] <= 0xD7]
    yield "cut-progressive.jpg", progressive[:-2]
    yield "ends-early.jpg", whole[:-90] + b"\xff\xd9"
    yield "ends-early-progressive.jpg", progressive[:-160] + b"\xff\xd9"
    for n in [2, 3, 5, 6]:  # below the middle, what the scan before told is what is known
        part = first_scans(progressive, n)
        begin, end, _ = [s for s in segments(part) if s[2] == 0xDA][-1]
        yield f"first-{n}-scans-half.jpg", part[:(begin + 10 + end) // 2] + b"\xff\xd9"
    yield "restart-lost.jpg", restarts[:at[2]] + restarts[at[3]:]
    yield "restart-lost-three.jpg", restarts[:at[1]] + restarts[at[4]:]
    yield "restart-lost-two.jpg", restarts[:at[1]] + restarts[at[3]:]
    yield "restart-twice.jpg", restarts[:at[3]] + restarts[at[2]:]
    yield "restart-garbage.jpg", restarts[:at[2]] + b"\xff\x07garbage" + restarts[at[2]:]
    yield "two-scans.jpg", whole[:-2] + whole[[s for s in segments(whole) if s[2] == 0xDA][0][0]:]
    yield "two-frames.jpg", whole[:-2] + whole[2:]
    yield "bytes-after-the-end.jpg", whole + b"something else"
    tables = without(whole, 0xE0, 0xC0, 0xDA)
    yield "tables-first.jpg", tables + without(whole, 0xDB, 0xC4)
    for factor in [40, 255]:  # coefficients that are much too large
        wild = bytearray(cjpeg(24, 24, "-quality", "100"))
        for begin, end, marker in segments(wild):
            if marker == 0xDB:
                wild[begin + 5:end] = bytes([factor]) * (end - begin - 5)
        yield f"factor-{factor}.jpg", bytes(wild)
    for seed in range(8):
        yield f"damaged-{seed}.jpg", damaged(cjpeg(48, 48, seed=seed), seed)
        yield f"damaged-{seed}-progressive.jpg", damaged(cjpeg(48, 48, "-progressive", seed=seed), seed)
        yield f"damaged-{seed}-restart.jpg", damaged(cjpeg(48, 48, "-restart", "2B", seed=seed), seed)


def agrees(path):
    """Reports whether djpeg gives what Pillow gives; it gives up on less, and prints CMYK otherwise."""
    image, run = decoded(path), subprocess.run(["djpeg", path], capture_output=True)
    if image is None or run.returncode or run.stderr:
        return True
    other = Image.open(io.BytesIO(run.stdout))
    return b"Adobe\0" in open(path, "rb").read() or other.convert("RGB").tobytes() == image.tobytes()


def main():
    if sys.argv[1:2] == ["--list"]:
        for name in sorted(os.listdir(sys.argv[2])):
            path = os.path.abspath(os.path.join(sys.argv[2], name))
            print(line(path, path))
        return
    lines = []
    for name, content in files():
        path = os.path.join(HERE, name)
        with open(path, "wb") as out:
            out.write(content)
        assert agrees(path), name
        lines.append(line(name, path))
    goroot = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    testdata = os.path.join(goroot, "src/image/testdata")
    for name in sorted(os.listdir(testdata)):
        if name.endswith(".jpeg"):
            assert agrees(os.path.join(testdata, name)), name
            lines.append(line("$GOROOT/src/image/testdata/" + name, os.path.join(testdata, name)))
    with open(os.path.join(HERE, "pixels.txt"), "w") as out:
        out.write("\n".join(lines) + "\n")


main()
