# Prints AWS's description of a service: the arguments are its name and version.
import json
import sys

try:
    from botocore.loaders import Loader
except ImportError:
    from awscli.botocore.loaders import Loader

model = Loader().load_service_model(sys.argv[1], "service-2", sys.argv[2])
print(json.dumps(model))
