from glob import glob

from setuptools import find_packages, setup

NAME = "mask_detector"

setup(
    name=NAME,
    version="0.1.0",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={NAME: ["data/*", "viewer/static/*", "viewer/static/*/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (f"share/{NAME}/launch", glob("launch/*.launch.py")),
        (f"share/{NAME}/config", glob("config/*")),
        (f"share/{NAME}/models", [path for path in glob("models/*") if "." in path]),
    ],
    install_requires=["setuptools"],
    python_requires=">=3.10",
    zip_safe=False,
    maintainer="mask_detector maintainers",
    maintainer_email="maintainers@mask-detector.invalid",
    description="Tells who wears a face mask properly, improperly, or not at all",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "detector = mask_detector.detector_node:main",
            "camera = mask_detector.camera_node:main",
            "annotate = mask_detector.annotate:main",
            "bag = mask_detector.bag:main",
            "greeter = mask_detector.behaviours.greeter:main",
            "gate = mask_detector.behaviours.gate:main",
            "viewer = mask_detector.viewer:main",
        ]
    },
)
