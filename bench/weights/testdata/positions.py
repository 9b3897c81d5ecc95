"""Prints what PyTorch makes of position embeddings for position_test.go: two channels with the values ((7i² + 3i) mod 32)/8 − 2
in the order [position, channel], a class token's vector first."""
import torch

for (h, w), to in (((3, 3), (4, 2)), ((4, 4), (6, 3))):
    values = torch.tensor([((7 * i * i + 3 * i) % 32) / 8 - 2 for i in range(2 * (1 + h * w))]).reshape(1 + h * w, 2)
    grid = values[1:].reshape(1, h, w, 2).permute(0, 3, 1, 2)
    resized = torch.nn.functional.interpolate(grid, size=to, mode="bicubic", align_corners=False)
    print((h, w), to, [float(f"{v:.7g}") for v in torch.cat([values[:1], resized[0].flatten(1).T]).flatten()])
