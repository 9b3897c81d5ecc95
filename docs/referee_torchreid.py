# Writes query.npy and gallery.npy, what a model of torchreid makes of a dataset's test images, and query.txt and
# gallery.txt, whose they are:
#
#   python3 referee_torchreid.py reid-data market1501 osnet_x1_0 model.pth.tar-150
#   reidbench eval --from-features query.npy gallery.npy --names query.txt,gallery.txt
import sys
import numpy, torch, torchreid

root, dataset, name, weights = sys.argv[1:]
device = "cuda" if torch.cuda.is_available() else "cpu"
data = torchreid.data.ImageDataManager(root=root, sources=dataset, height=256, width=128, use_gpu=device == "cuda")
model = torchreid.models.build_model(name, num_classes=data.num_train_pids, pretrained=False)
torchreid.utils.load_pretrained_weights(model, weights)
model.to(device).eval()

for split in "query", "gallery":
    features, paths = [], []
    with torch.no_grad():
        for batch in data.test_loader[dataset][split]:
            features.append(model(batch["img"].to(device)).cpu().numpy())
            paths += batch["impath"]
    numpy.save(f"{split}.npy", numpy.concatenate(features))
    with open(f"{split}.txt", "w") as names:
        names.writelines(f"{path}\n" for path in paths)
