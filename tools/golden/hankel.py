"""Golden values for the cochlea model, from SciPy: Hankel functions, and the membrane's transfer with its integral by quadrature.

Run with SciPy 1.17 and NumPy 2: `python tools/golden/hankel.py`; writes test/golden/hankel.json.
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.integrate import quad
from scipy.special import hankel1, j0, j1, y0, y1

H, M, C0, A, ALPHA, LENGTH = 0.1, 0.05, 1e9, 3500.0, 3.0, 3.5
R0 = 0.15 * np.sqrt(C0 * M)


def xi(omega, place):
    return C0 * np.exp(-ALPHA * place) - A - M * omega**2 - 1j * omega * R0 * np.exp(-ALPHA * place / 2)


def wave_number(omega, place):
    return omega * np.sqrt(1 / (H * xi(omega, place)))


def phase(omega, place):
    """(2/alpha) g(0) plus the integral of g, split where the wave number peaks so that the quadrature sees the peak."""
    peak = np.log(C0 / (A + M * omega**2)) / ALPHA
    points = [peak] if 0 < peak < place else None
    part = lambda f: quad(lambda s: f(wave_number(omega, s)), 0, place, points=points, epsabs=1e-12, epsrel=1e-12, limit=2000)[0]
    return 2 / ALPHA * wave_number(omega, 0.0) + part(np.real) + 1j * part(np.imag)


def pressure(omega, place):
    g = phase(omega, place)
    return np.sqrt(g / wave_number(omega, place)) * hankel1(0, g)


def velocity(omega, place):
    beta = 2 * omega / ALPHA * np.sqrt(2 / (H * C0))
    z = np.sqrt(2 * C0 / H) * (1j * j0(beta) + y0(beta)) / (j1(beta) - 1j * y1(beta))
    return 2 * omega / xi(omega, place) * pressure(omega, place) * z / pressure(omega, 0.0)


def pair(z):
    return [float(z.real), float(z.imag)]


points = [complex(x, y) for x in (1e-3, 0.5, 1, 1.9, 2.1, 5, 12, 30, 73) for y in (0, 1e-3, 0.5, 1.4, 3, 10, 40, 72)]
points += [complex(x, -y) for x in (2.1, 5, 30) for y in (0.01, 0.5)]
points += [complex(0, y) for y in (0.3, 1.9, 2.5, 20, 70)]
frequencies = [1, 50, 130.7, 440, 1000, 3333.3, 8000, 15000, 21000, 24000]
places = [0.0, 0.35, 1.0, 1.7, 2.4, 3.0, 3.5]
golden = {
    "versions": {"scipy": scipy.__version__, "numpy": np.__version__},
    "hankel": [{"z": pair(z), "h0": pair(hankel1(0, z)), "h1": pair(hankel1(1, z))} for z in points],
    "membrane": [
        {"frequency": f, "place": p, "phase": pair(phase(2 * np.pi * f, p)), "velocity": pair(velocity(2 * np.pi * f, p))}
        for f in frequencies
        for p in places
    ],
}
out = Path(__file__).parents[2] / "test" / "golden" / "hankel.json"
out.write_text("{\n" + ",\n".join(f" {json.dumps(k)}: " + (json.dumps(v) if isinstance(v, dict) else "[\n" + ",\n".join("  " + json.dumps(row) for row in v) + "\n ]") for k, v in golden.items()) + "\n}\n")
