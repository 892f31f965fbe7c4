"""Packaging: the base install is the scorer alone; each extra says what it is for."""

from setuptools import find_packages, setup

SERVING = [
    "numpy>=2,<3",
    "onnxruntime>=1.31",
    "tqdm>=4.66",  # the scorer's progress bar
]
PIPELINE = [
    "apache-beam>=2.77",
    "google-crc32c>=1.6",  # the checksums of TFRecord files
    "jinja2>=3.1",  # the pages: what comes from outside is escaped where it is put in, not where it is made
    "importlib_resources>=6",  # tensorflow-datasets imports it and does not declare it
    "matplotlib>=3.10",
    "onnx>=1.19",
    "optuna>=4.5",  # the search: resumable studies in one file, median pruning, a sampler that learns from the trials
    "pillow>=11",  # folders of pictures, decoded as the scorer does it, and fast counts of pixels; matplotlib brings it
    "tensorboard>=2.20",  # TensorFlow 2.21 no longer brings it
    "tensorflow>=2.21",
    "tensorflow-datasets>=4.9.10",
    "tf2onnx>=1.17",  # the first that takes Keras 3, numpy 2 and current protobuf
    "scipy>=1.16",  # Student's t, for the comparison of recipes over seeds; .mat files
    "simplejpeg>=1.9",  # folders of JPEG pictures, decoded in half the time that Pillow takes, to the same pixels
    "rich>=14",  # colours and the moving line on a terminal; Keras and TFDS bring it already
    "tyro>=1",  # the command line from the components' own parameters
]
IMAGES = [
    "pillow>=11",
    "simplejpeg>=1.9",  # JPEG in half the time that Pillow takes, to the same pixels
]
PARQUET = ["pyarrow>=18"]
# The client, and a store of one's own in SQLite. The whole of mlflow brings scikit-learn, which Keras imports where it
# is installed: 1.4 s more at every start. Not in `dev`: pandas costs 0.7 s of Beam's start and 0.4 s of Keras's.
MLFLOW = ["mlflow-skinny>=3.5", "alembic>=1.16", "pandas>=2.3", "sqlalchemy>=2"]
DEV = [
    "hypothesis>=6.150",
    "import-linter>=2.5",  # imports go down only, checked
    "mypy>=1.18",
    "pre-commit>=4",
    "pytest>=9",
    "pytest-xdist>=3.8",
    "ruff>=0.14",
]

setup(
    name="beamline",
    version="0.1.0",
    description="From a data set in TensorFlow Datasets to a gated, promoted model that scores with onnxruntime.",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["pipeline*", "components*", "serving*"]),
    py_modules=["beamline"],
    entry_points={
        "console_scripts": ["beamline = beamline:run_pipeline", "beamline-score = beamline:run_scorer"],
    },
    package_data={"": ["*", "templates/*", "keras_home/*"]},  # data lie beside the module that reads them
    install_requires=SERVING,
    extras_require={
        "pipeline": PIPELINE,
        "images": IMAGES,
        "parquet": PARQUET,
        "mlflow": MLFLOW,
        "dev": [*PIPELINE, *IMAGES, *PARQUET, *DEV],
    },
)
