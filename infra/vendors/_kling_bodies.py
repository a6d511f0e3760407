"""The bodies that Kling takes, field by field. Motion brushes, voices and elements are not
simulated: their fields are unknown here.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from infra.vendors.bodies import Strict

EDGE_MAX = 10  # of a camera's movement

_Words = Annotated[str, StringConstraints(max_length=2500)]
_Prompt = Annotated[str, StringConstraints(min_length=1, max_length=2500)]
_Shape = Literal["16:9", "9:16", "1:1"]
_Edge = Annotated[float, Field(ge=-EDGE_MAX, le=EDGE_MAX)]


class _Watermark(Strict):
    enabled: bool


class Common(Strict):
    """What every order may have."""

    callback_url: str = Field(default="", pattern=r"^(https?://.+)?$")
    external_task_id: str = Field(default="", max_length=128)
    watermark_info: _Watermark | None = None


class _Movement(Strict):
    horizontal: _Edge = 0
    vertical: _Edge = 0
    pan: _Edge = 0
    tilt: _Edge = 0
    roll: _Edge = 0
    zoom: _Edge = 0

    @model_validator(mode="after")
    def _is_one(self) -> "_Movement":
        if sum(1 for value in dict(self).values() if value) != 1:
            raise ValueError("exactly one is not zero")
        return self


class _Camera(Strict):
    type: Literal["simple", "down_back", "forward_up", "right_turn_forward", "left_turn_forward"]
    config: _Movement | None = None

    @model_validator(mode="after")
    def _fits(self) -> "_Camera":
        if (self.type == "simple") != (self.config is not None):
            raise ValueError("a config is for the simple type")
        return self


class OlderFilm(Common):
    """What text2video and image2video share."""

    model_name: str = "kling-v1"
    negative_prompt: _Words = ""
    sound: Literal["on", "off"] = "off"
    cfg_scale: float | None = Field(default=None, ge=0, le=1)
    mode: Literal["std", "pro", "4k"] = "std"
    camera_control: _Camera | None = None
    duration: str = "5"


class FromText(OlderFilm):
    """The body of text2video."""

    prompt: _Prompt
    aspect_ratio: _Shape = "16:9"


class FromPicture(OlderFilm):
    """The body of image2video."""

    prompt: _Words = ""
    image: str = ""
    image_tail: str = ""


class Picture(Common):
    """The body of images/generations."""

    model_name: str = "kling-v3"
    prompt: _Prompt
    negative_prompt: _Words = ""
    image: str = ""
    image_reference: Literal["subject", "face"] | None = None
    image_fidelity: float | None = Field(default=None, ge=0, le=1)
    human_fidelity: float | None = Field(default=None, ge=0, le=1)
    resolution: Literal["1k", "2k"] = "1k"
    n: int = Field(default=1, ge=1, le=9)
    aspect_ratio: Literal["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"] = "16:9"


class Settings(Strict):
    """How a film of the new generation shall be."""

    audio: Literal["native", "off"] = "off"
    resolution: Literal["720p", "1080p"] = "720p"
    duration: int = 5


class _ShapedSettings(Settings):
    aspect_ratio: _Shape = "16:9"


class NewFromText(Strict):
    """The body of text-to-video."""

    prompt: _Prompt
    settings: _ShapedSettings = _ShapedSettings()
    options: Common = Common()


class _Content(Strict):
    type: Literal["prompt", "first_frame", "last_frame"]
    text: _Prompt | None = None
    url: Annotated[str, StringConstraints(min_length=1)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> "_Content":
        is_prompt = self.type == "prompt"
        if (self.text is not None) != is_prompt or (self.url is None) != is_prompt:
            raise ValueError("a prompt has a text, a frame has a url")
        return self


class NewFromPicture(Strict):
    """The body of image-to-video."""

    contents: list[_Content] = Field(min_length=1, max_length=3)
    settings: Settings = Settings()
    options: Common = Common()
