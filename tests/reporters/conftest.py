import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # sample_run.py, whatever the import mode
