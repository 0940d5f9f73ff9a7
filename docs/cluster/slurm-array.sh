#!/usr/bin/env bash
# Eight workers for one study, each an element of a SLURM array with a GPU of its own.
#
#   export NAS_STORAGE=postgresql://me@database.example.org/nas NAS_ARTIFACTS=/shared/nas-artifacts
#   sbatch --export=ALL slurm-array.sh my-study
#
# Make the study first, on any machine: nas search --study my-study --data /shared/data --trials 200
# (and stop it when its first trial runs). SLURM sends SIGUSR1 two minutes before the time ends, and on preemption
# SIGTERM: the worker gives its trial back and another goes on from the checkpoint.
#SBATCH --array=0-7
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=8
#SBATCH --time=12:00:00
#SBATCH --signal=USR1@120
#SBATCH --requeue
exec nas worker --study "$1" --device cuda
