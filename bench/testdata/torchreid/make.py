# Writes the files beside it: features, who is on their images, and what torchreid's own evaluation says of them, and
# fast-reid's of their mINP.
#
#   python3 make.py DEEP_PERSON_REID FAST_REID
#
# They are checkouts of github.com/KaiyangZhou/deep-person-reid (these are of commit f8cd150) and github.com/JDAI-CV/
# fast-reid (c9bc3ce). Only files that need nothing but NumPy are loaded.
import importlib.util, json, pathlib, sys, warnings
import numpy as np

def load(path):
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

root, fast_reid, here = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(__file__).parent
warnings.simplefilter("ignore")  # that Cython's evaluation is not there
evaluate_rank = load(root / "torchreid/metrics/rank.py").evaluate_rank
re_ranking = load(root / "torchreid/utils/rerank.py").re_ranking
inverse_penalties = lambda *args: load(fast_reid / "fastreid/evaluation/rank.py").evaluate_rank(*args)[2]

random = np.random.default_rng(1)
people = random.normal(size=(31, 24))  # 0 is whoever is a distractor
def image(pid, camera, frame):
    noise = 1.6 * random.normal(size=24) + (3 * random.normal(size=24) if pid == 0 else 0)
    return f"{pid:04d}_c{camera}s1_{frame:06d}_00.jpg", people[pid] + noise + 0.3 * camera

query, gallery, frame = [], [], 0
for pid in range(1, 31):
    cameras = random.permutation(6)[: random.integers(2, 5)] + 1
    query += [image(pid, c, frame := frame + 25) for c in cameras[:2]]
    if pid % 10:  # every tenth is not in the gallery
        gallery += [image(pid, c, frame := frame + 25) for c in cameras for _ in range(random.integers(1, 4))]
gallery += [image(0, random.integers(1, 7), frame := frame + 25) for _ in range(40)]
for images in query, gallery:  # torchreid takes files in the order in which the system lists them
    random.shuffle(images)

expected = {}
files = {"query": (query, "query"), "gallery": (gallery, "bounding_box_test")}
arrays = {}
for name, (images, folder) in files.items():
    features = np.array([values for _, values in images], dtype=np.float32)
    np.save(here / f"{name}.npy", features)
    (here / f"{name}.txt").write_text("".join(f"/data/market1501/{folder}/{file}\n" for file, _ in images))
    pids = np.array([int(file[:4]) for file, _ in images])
    cameras = np.array([int(file[6]) - 1 for file, _ in images])  # torchreid counts them from 0
    arrays[name] = features.astype(np.float64), pids, cameras
with open(here / "names.csv", "w") as names:
    names.write("path,pid,camid,split\n")
    for name, (images, folder) in files.items():
        for (file, _), pid, camera in zip(images, *arrays[name][1:]):
            names.write(f"/data/market1501/{folder}/{file},{pid},{camera},{name}\n")

def distances(a, b, metric):  # as torchreid/metrics/distance.py has them
    if metric == "cosine":
        a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
        return 1 - a @ b.T
    return (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T

(qf, q_pids, q_cams), (gf, g_pids, g_cams) = arrays["query"], arrays["gallery"]
for metric in "euclidean", "cosine":
    for reranked in False, True:
        matrix = distances(qf, gf, metric)
        if reranked:
            # re_ranking squares distances, as its authors' program does. torchreid's engine hands it squared ones.
            root = lambda squared: np.sqrt(np.maximum(squared, 0))
            matrix = re_ranking(root(matrix), root(distances(qf, qf, metric)), root(distances(gf, gf, metric)))
        judged = matrix, q_pids, g_pids, q_cams, g_cams
        cmc, mean = evaluate_rank(*judged)
        expected[metric + (" reranked" if reranked else "")] = {
            "map": float(mean), "minp": float(np.mean(inverse_penalties(*judged))), "cmc": [float(x) for x in cmc]}
(here / "expected.json").write_text(json.dumps(expected) + "\n")
