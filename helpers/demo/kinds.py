"""Virtual instruments: which model, which pitches and which range of every parameter each kind has; a draw of them.

A range is a number, or a pair (low, high) that `draw` draws from. Ranges of different families overlap on purpose:
real families do, and no classifier should reach 100 %.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from helpers.demo.music import ROOM, Range, Room
from helpers.demo.sound import Notes
from helpers.demo.struck import FM, Bar, Gong, String
from helpers.demo.sustained import Bowed, Organ, Synth, Voice, Wind


class Kind(NamedTuple):
    """A kind of instrument."""

    model: type
    low: int  # MIDI pitch
    high: int  # MIDI pitch
    ranges: dict[str, Range]  # of the model's parameters, and of those of the room that differ from ROOM


MODELS = {model.__name__: model for model in (Bar, Bowed, FM, Gong, Organ, String, Synth, Voice, Wind)}
# Name, model or row that it goes on from, lowest and highest MIDI pitch, then the ranges of the model's parameters, and
# of those of the room that differ from ROOM: low:high, or a number. Rows whose names begin with _ only serve others.
TABLE = """
_guitar         String     0   0  position .07:.35 stiffness 2e-5:.0002 t60 2:6 damping .3:1.2 tilt .5:1.2 detune .2:3
    damper .03:.15
_electric       _guitar    0   0  hardness 2500:8000 body 150:400 resonance -15:0 knock .01:.15 pickup .08:.3
    top 3500:8000
_bass           String     0   0  position .08:.4 stiffness 5e-6:.0001 t60 2.5:9 damping 1:6 tilt .5:1.2 detune 0:3
    damper .03:.12
_wind           Wind       0   0  rate 4:6.5 attack .02:.12 swell -.4:.4 release .02:.1 breath 1500:4500 decay .15
    scoop 0:.6 vibrato 0:20 tremolo -.05:.15 odd .6:1
_brass          _wind      0   0  odd 1 air .001:.006 scoop .2:2 tremolo 0:.08
_synth          Synth      0   0  attack .003:.05 sustain .5:1 decay .2:2 release .02:.3 scoop -.5:.5 unsteady 0
    pulse .1:.9 sub -.4:.6 spread 2:18 rate 3:7
_fm             FM         0   0  index .3:3 rest .05:.5 detune 0:4 release .03:.3 motor -6:6
_bow            Bowed      0   0  density 1.3:1.5 resonance 5:14 tilt .6:.9 air .02:.07 rate 4.8:6.5 vibrato 15:40
    scoop 0:.5 release .04:.15 voicing 0:1e6 attack .03:.18
_strings        _bow       0   0  body 90:300 resonance 0:12 bridge 2200:6000 tilt .7:1.2 air .005:.06 attack .03:.3
    vibrato 0:30
_voice          Voice      0   0  tract .95:1.25 vowel 0:4.9 target 0:4.9 tilt -12:-8 ring 18:28 air .005:.06
    attack .04:.2 rate 4.5:6.5 vibrato 5:50 scoop 0:1 release .04:.2 sustain .9 unsteady .07
_organ          Organ      0   0  registration 0:1e6 unsteady 0 sustain 1 voices 2 spread 2:18
_plucked        String     0   0  stiffness 2e-5:.0002 tilt .3:1 detune .2:3
_fiddle         _bow       0   0  density 1.25:1.5 tilt .5:.9 rate 4.8:7 attack .02:.12 air .015:.09
_blown          _wind      0   0  attack .02:.08 rate 4.5:7 swell -.3:.3
acoustic_bass   _bass     26  60  hardness 500:2500 body 60:130 resonance 2:10 knock .02:.2
electric_bass   _bass     24  62  hardness 700:5000 body 80:200 resonance -15:0 knock .01:.12 pickup .1:.35 wet -.2:.1
    drive -1:1.5
synth_bass      _synth    24  62  cutoff 120:900 sweep .5:4 filter_decay .05:.7 peak 0:16 voices 1:3 vibrato 0:6
    drive -1:1.5 wet -.2:.1
fm_bass         _fm       24  60  ratio .6:2.4 index 1:5 index_decay .05:.8 tine 0:.3 t60 1.5:6 motor 0
brass           _brass    36  84  soft -19:-12 loud -7:-3 formant 500:1300 strength 3:10
trumpet         _brass    54  86  soft -16:-10 loud -5:-2 formant 900:1700 strength 3:10
synth_brass     _brass    36  80  soft -18:-12 loud -8:-4 formant 500:1500 strength -3:6 scoop 0:.3 voices 2:3.9
    spread 3:14
flute           _wind     55  96  soft -22:-15 loud -15:-9 odd .4:1 formant 500:1200 strength -4:5 air .05:.16
    tremolo .02:.22
synth_flute     _wind     48  96  soft -22:-12 loud -16:-8 odd .05:.8 formant 400:2000 strength -8:4 air .005:.08
    scoop 0:.1 voices 1:2.9 spread 2:10
acoustic_guitar _guitar   40  84  hardness 1500:6000 body 90:220 resonance 4:14 knock .05:.4
electric_guitar _electric 40  86  drive -1:7 tremolo -12:7
driven_guitar   _electric 40  86  drive 3:15 top 3500:7000
piano           String    28 100  position .08:.14 stiffness .0002:.0012 t60 6:16 damping .6:1.8 hardness 1200:4500
    tilt .3:.9 detune .3:3 body 80:180 resonance -2:6 knock .03:.25 damper .04:.2
harpsichord     String    36  90  position .1:.3 stiffness 5e-5:.0003 t60 2:6 damping .2:.8 hardness 6000:14000
    tilt .2:.6 detune .5:5 body 150:350 resonance 0:8 knock .05:.3 damper .02:.1
electric_piano  _fm       33  96  ratio .6:1.4 index_decay .2:2 tine .15:.6 t60 3:10
synth_keys      _synth    33  96  sustain .02:.3 attack .002:.01 decay .2:1.5 cutoff 400:2500 sweep 0:3
    filter_decay .1:.8 peak 0:8 voices 1:3
mallet          Bar       48  98  shape 0:4 t60 .3:6 damping .6:2 hardness 800:8000 knock .02:.4 motor -8:7
    damper .08:.8 voicing 0:1e6
bell            Bar       48  96  shape 3.2:6.99 t60 2:10 damping .4:1.2 hardness 1500:9000 knock .01:.2 motor 0
    damper .2:1 voicing 0:1e6
fm_bell         _fm       50  98  ratio 1.6:6 index_decay .1:1.5 tine .1:.8 t60 1:5 release .1:.7
drawbar_organ   _organ    36  96  pipes 0:.12 slope -14:-6 rate 1:7 tremolo -.15:.3 vibrato 0:8 air 0:.15
    attack .003:.02 release .01:.05
pipe_organ      _organ    36  96  pipes .3:1 slope -14:-5 air 0:.08 attack .02:.12 release .03:.15 wet 0:.6
    reverb .6:2.5
clarinet        _wind     50  91  soft -13:-8 loud -9:-5 odd .02:.2 formant 900:2500 strength -2:8 air .004:.04
    vibrato 0:6 tremolo 0:.05
saxophone       _wind     44  86  soft -11:-6 loud -7:-2 formant 450:1000 strength 4:11 air .02:.08 scoop .1:1.2
    vibrato 0:25
oboe            _wind     46  91  soft -8:-5 loud -6:-3 odd .7:1 formant 1000:1600 strength 10:18 air .002:.02
harmonica       _wind     50  92  soft -9:-5 loud -6:-2 formant 1000:3000 strength 0:10 air .004:.03 vibrato 0:10
    tremolo 0:.2 voices 2:2.9 spread 5:16
strings         _strings  38  92
cello           _bow      36  72  body 85:160 bridge 1800:4500
violin          _bow      55  96  body 230:330 bridge 3000:7000
string_section  _strings  36  92  attack .06:.4 release .08:.3 voices 3:4.9 spread 4:16 wet 0:.45
synth_lead      _synth    40  96  cutoff 600:5000 sweep 0:3 filter_decay .1:1.5 peak 0:14 voices 1:3.9 vibrato 0:35
    drive -1:2
voice           _voice    44  84
choir           _voice    44  84  ring 14:24 attack .08:.3 vibrato 5:30 voices 3:4.9 spread 5:20 wet 0:.5
synth_voice     _voice    44  86  tract .8:1.4 tilt -12:-6 ring 12:22 vibrato 0:12 scoop 0 voices 1:2.9 spread 3:14
# a small drum of snake skin: strong, narrow resonances, wide vibrato
erhu            _fiddle   62  93  body 320:480 resonance 8:17 bridge 3000:6500 vibrato 15:50 scoop .5:2.5
# fretless and lower, all notes are slid into
zhuiqin         _fiddle   52  84  body 180:300 resonance 6:14 bridge 2000:4500 vibrato 10:40 scoop 1.5:4
pipa            _plucked  45  88  position .05:.16 t60 1.2:3.5 damping .25:1 hardness 4000:11000 body 250:520
    resonance 4:13 knock .15:.7 damper .03:.12  # nails on thin strings, hard and short
sanxian         _plucked  43  82  position .06:.2 t60 .8:2 damping .4:1.6 hardness 2500:7000 body 180:380 resonance 8:17
    knock .25:.9 damper .03:.1  # skin-covered body: banjo-like, quick decay
zhongruan       _plucked  43  79  position .1:.3 t60 1.2:3.5 damping .8:2.5 hardness 1200:4000 body 110:230
    resonance 4:12 knock .05:.35 damper .03:.15  # round wooden body: warm, longer
liuqin          _plucked  55  96  position .06:.18 t60 1:2.6 damping .2:.8 hardness 5000:13000 body 380:800
    resonance 3:11 knock .2:.8 damper .02:.08  # small and high, plectrum
guzheng         _plucked  38  86  position .04:.15 t60 2.5:7 damping .3:1.2 hardness 3000:9000 body 90:220 resonance 2:9
    knock .05:.4 damper .5:2  # long zither strings, bright and ringing
yangqin         _plucked  43  91  detune 2:9 position .08:.2 t60 2:6 damping .4:1.4 hardness 2500:8000 body 150:350
    resonance 0:8 knock .1:.5 damper .5:2  # hammered dulcimer, several strings a note
dizi            _blown    62  96  soft -14:-8 loud -8:-4 odd .5:1 formant 1200:2600 strength 0:9 air .03:.14
    breath 2500:6000 vibrato 5:30 tremolo .03:.2 buzz .02:.16  # flute with a buzzing membrane
suona           _blown    57  91  soft -6:-3 loud -4:0 odd .8:1 formant 1300:2800 strength 5:14 air .003:.03 scoop .2:2
    vibrato 5:40  # conical double reed with a metal bell: very bright
sheng           _blown    57  91  soft -10:-6 loud -7:-3 odd .4:1 formant 900:2600 strength -2:8 air .004:.04 scoop 0:.2
    vibrato 0:8 voices 2:3.9 spread 2:8  # mouth organ of free reeds, sounds in pairs
gong            Gong      52  70  size 110:480 density .07:.22 t60 3:10 damping .1:.5 glide -1.5:1.5 bloom .02:.4
    hardness 700:4500 voicing 0:1e6
"""


def _read(table: str) -> dict[str, Kind]:
    """The rows of a table; rows end where a line begins without a blank."""
    kinds: dict[str, Kind] = {}
    for row in re.split(r"\n(?=\S)", re.sub(r" *#.*", "", table).strip()):
        name, base, low, high, *words = row.split()
        model, _, _, ranges = kinds[base] if base in kinds else Kind(MODELS[base], 0, 0, {})
        numbers = [tuple(map(float, span.split(":"))) for span in words[1::2]]
        own = {key: span if len(span) == 2 else span[0] for key, span in zip(words[::2], numbers, strict=True)}
        kinds[name] = Kind(model, int(low), int(high), ranges | own)
    return {name: kind for name, kind in kinds.items() if not name.startswith("_")}


KINDS = _read(TABLE)


@dataclass(frozen=True)
class Instrument:
    """One virtual instrument: a random draw of a model's parameters, fixed for all notes, and its room."""

    kind: str  # a key of KINDS
    low: int  # lowest MIDI pitch
    high: int  # highest MIDI pitch
    tone: Any  # a model: play(Notes) -> [n, t]
    room: Room

    def play(self, notes: Notes) -> np.ndarray:
        """Notes as they would lie in a sample library: [n, t] with peaks in 0..1."""
        return self.room.record(self.tone.play(notes), notes.sample_rate, notes.rng)


def draw(kind: str, rng: np.random.Generator) -> Instrument:
    """A new instrument of a kind: every parameter is drawn from the kind's range."""
    model, low, high, ranges = KINDS[kind]
    tone = {name: _value(span, rng) for name, span in ranges.items() if name not in ROOM}
    room = {name: _value(ranges.get(name, span), rng) for name, span in ROOM.items()}
    low, high = low + int(rng.integers(-2, 3)), high + int(rng.integers(-3, 4))
    return Instrument(kind, low, high, model(**tone), Room(**room))


def _value(span: Range, rng: np.random.Generator) -> float:
    """A number from a range: even on a logarithmic axis where both ends are positive, otherwise on a linear one."""
    if not isinstance(span, tuple):
        return float(span)
    low, high = span
    return float(np.exp(rng.uniform(*np.log(span))) if low > 0 and high > 0 else rng.uniform(low, high))
